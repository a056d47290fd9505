//! Applications that wait for each other.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::stable_graph::NodeIndex;
use petgraph::visit::{Dfs, Reversed};

use super::{AppKey, Graph};

impl Graph {
    /// Looks for cycles after edges at one node have changed. A new one leads through that node; one
    /// that was there may have been broken if it did.
    pub(super) fn find_cycles_at(&mut self, node: NodeIndex, changed: &mut Vec<AppKey>) {
        if self.knotted.contains(&node) || self.is_on_cycle(node) {
            self.find_cycles(changed);
        }
    }

    /// Looks for cycles everywhere, and tells who is in a cycle that closed or opened.
    pub(super) fn find_cycles(&mut self, changed: &mut Vec<AppKey>) {
        let mut knots = petgraph::algo::tarjan_scc(&self.edges);
        knots.retain(|knot| knot.len() > 1 || self.edges.contains_edge(knot[0], knot[0]));
        self.knotted = knots.iter().flatten().copied().collect();
        let mut cycles: Vec<Vec<AppKey>> = knots
            .into_iter()
            .filter_map(|knot| self.path(&knot.into_iter().collect()))
            .collect();
        cycles.sort();
        let before = std::mem::replace(&mut self.cycles, cycles);
        let opened = before.iter().filter(|one| !self.cycles.contains(one));
        let closed = self.cycles.iter().filter(|one| !before.contains(one));
        changed.extend(opened.chain(closed).flatten().cloned());
    }

    /// Whether what a node waits for waits for it.
    fn is_on_cycle(&self, node: NodeIndex) -> bool {
        let backwards = Reversed(&self.edges);
        let mut search = Dfs::new(backwards, node);
        while let Some(before) = search.next(backwards) {
            if self.edges.contains_edge(node, before) {
                return true;
            }
        }
        false
    }

    /// A knot as one cycle through it, by the names of its applications.
    fn path(&self, knot: &BTreeSet<NodeIndex>) -> Option<Vec<AppKey>> {
        let mut names: Vec<_> = self
            .walk(knot)?
            .into_iter()
            .filter_map(|node| Some(self.app_at(node)?.key.clone()))
            .collect();
        names.push(names.first()?.clone());
        Some(names)
    }

    /// A way round a knot, from the first node on that comes twice.
    fn walk(&self, knot: &BTreeSet<NodeIndex>) -> Option<Vec<NodeIndex>> {
        let mut path = vec![*knot.first()?];
        loop {
            let next = self
                .edges
                .neighbors_directed(*path.last()?, Direction::Incoming)
                .filter(|before| knot.contains(before))
                .min()?;
            if let Some(start) = path.iter().position(|seen| *seen == next) {
                return Some(path.split_off(start));
            }
            path.push(next);
        }
    }
}
