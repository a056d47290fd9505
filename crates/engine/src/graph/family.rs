//! The children of one application, wave by wave.
//!
//! A gate after each wave keeps the graph linear: a wave of a thousand before a wave of a thousand
//! is two thousand edges, not a million.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use petgraph::stable_graph::NodeIndex;

use super::{AppKey, Graph, Node};

/// The children of one wave, and the point that is passed when they, and all before, are ready.
#[derive(Clone, Debug)]
pub(super) struct Wave {
    members: BTreeSet<NodeIndex>,
    gate: NodeIndex,
}

impl Graph {
    /// Puts a child into its wave.
    pub(super) fn join(
        &mut self,
        child: NodeIndex,
        parent: &AppKey,
        wave: i64,
        changed: &mut Vec<AppKey>,
    ) {
        let gate = self.gate(parent, wave, changed);
        self.connect(child, gate, changed);
        if let Some(before) = self.gate_before(parent, wave) {
            self.connect(before, child, changed);
        }
        let waves = self.families.entry(parent.clone()).or_default();
        if let Some(wave) = waves.get_mut(&wave) {
            wave.members.insert(child);
        }
    }

    /// Takes a child out of its wave; a wave without children goes.
    pub(super) fn leave(
        &mut self,
        child: NodeIndex,
        parent: &AppKey,
        wave: i64,
        changed: &mut Vec<AppKey>,
    ) {
        let before = self.gate_before(parent, wave);
        let Some(found) = self
            .families
            .get_mut(parent)
            .and_then(|waves| waves.get_mut(&wave))
        else {
            return;
        };
        found.members.remove(&child);
        let (gate, is_empty) = (found.gate, found.members.is_empty());
        self.disconnect(child, gate, changed);
        if let Some(before) = before {
            self.disconnect(before, child, changed);
        }
        if !is_empty {
            return;
        }
        for after in self.behind(parent, wave) {
            if let Some(before) = before {
                self.connect(before, after, changed);
            }
            self.disconnect(gate, after, changed);
        }
        if let Some(before) = before {
            self.disconnect(before, gate, changed);
        }
        self.edges.remove_node(gate);
        if let Some(waves) = self.families.get_mut(parent) {
            waves.remove(&wave);
            if waves.is_empty() {
                self.families.remove(parent);
            }
        }
    }

    /// The gate after a wave, put between its neighbours if there is none yet.
    fn gate(&mut self, parent: &AppKey, wave: i64, changed: &mut Vec<AppKey>) -> NodeIndex {
        let waves = self.families.entry(parent.clone()).or_default();
        if let Some(known) = waves.get(&wave) {
            return known.gate;
        }
        let gate = self.add(Node::Wave {
            parent: parent.clone(),
            wave,
        });
        let before = self.gate_before(parent, wave);
        let after = self.behind(parent, wave);
        if let Some(before) = before {
            self.connect(before, gate, changed);
        }
        for after in after {
            self.connect(gate, after, changed);
            if let Some(before) = before {
                self.disconnect(before, after, changed);
            }
        }
        let members = BTreeSet::new();
        let waves = self.families.entry(parent.clone()).or_default();
        waves.insert(wave, Wave { members, gate });
        gate
    }

    fn gate_before(&self, parent: &AppKey, wave: i64) -> Option<NodeIndex> {
        let waves = self.families.get(parent)?;
        Some(waves.range(..wave).next_back()?.1.gate)
    }

    /// The children and the gate of the next wave.
    fn behind(&self, parent: &AppKey, wave: i64) -> Vec<NodeIndex> {
        let next = self
            .families
            .get(parent)
            .and_then(|waves| waves.range((Excluded(wave), Unbounded)).next());
        let nodes = next.map(|(_, next)| next.members.iter().chain([&next.gate]).copied());
        nodes.into_iter().flatten().collect()
    }
}
