//! What one change means for the others. The work is that of the neighbours, not of the fleet.
//!
//! Each change answers with the applications that have to be looked at because of it: those that
//! begin or stop to wait, and those whose reason for waiting reads differently.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::stable_graph::NodeIndex;

use super::{AppKey, AppNode, Graph, Labels, Node, Origin, Reference};

impl Graph {
    /// Takes in an application as it is now.
    pub fn upsert(&mut self, app: AppNode) -> Vec<AppKey> {
        let mut changed = Vec::new();
        if let Some(node) = self.place(app, &mut changed) {
            self.find_cycles_at(node, &mut changed);
        }
        changed
    }

    /// Forgets an application. Whoever names it waits from then on.
    pub fn remove(&mut self, key: &AppKey) -> Vec<AppKey> {
        let mut changed = Vec::new();
        let Some(node) = self.index.get(key).copied() else {
            return changed;
        };
        let Node::App(app) = self.edges[node].clone() else {
            return changed;
        };
        self.redraw(node, &app.depends_on, &[], &mut changed);
        if let Some(parent) = &app.parent {
            self.leave(node, parent, app.wave, &mut changed);
        }
        let was_ready = self.is_ready(node);
        self.edges[node] = Node::Missing(Reference::Name(key.clone()));
        if was_ready {
            self.pass_on(node, false, &mut changed);
        } else {
            changed.extend(self.dependents(node));
        }
        self.follow(node, &app.revisions, &[]);
        self.relabel(node, Some(&app.labels), None, &mut changed);
        self.drop_if_unneeded(node);
        if self.knotted.contains(&node) {
            self.find_cycles(&mut changed);
        }
        changed
    }

    /// Notes the newest revision of an origin: who has not come to it is not ready.
    pub fn set_head(&mut self, origin: &Origin, revision: &str) -> Vec<AppKey> {
        let Some(followers) = self.origins.get(origin) else {
            return Vec::new();
        };
        if followers.head.as_deref() == Some(revision) {
            return Vec::new();
        }
        let before: Vec<_> = followers
            .members
            .iter()
            .map(|node| (*node, self.is_ready(*node)))
            .collect();
        if let Some(followers) = self.origins.get_mut(origin) {
            let before = followers.head.replace(revision.to_owned());
            self.moves += u64::from(before.is_some());
        }
        let mut changed = Vec::new();
        for (node, was_ready) in before {
            let is_ready = self.is_ready(node);
            if was_ready != is_ready {
                self.pass_on(node, is_ready, &mut changed);
            }
        }
        changed
    }

    /// Takes in an application but for the search for cycles; its node, if its edges changed.
    pub(super) fn place(&mut self, app: AppNode, changed: &mut Vec<AppKey>) -> Option<NodeIndex> {
        let node = self.node_of(&app.key);
        let before = match &self.edges[node] {
            Node::App(before) if **before == app => return None,
            Node::App(before) => Some(before.as_ref().clone()),
            Node::Missing(_) | Node::Wave { .. } => None,
        };
        let (was_ready, why) = (self.is_ready(node), self.why_not(node));
        let revisions = before.as_ref().map_or(&[][..], |app| &app.revisions);
        self.follow(node, revisions, &app.revisions);
        let app = Box::new(app);
        self.edges[node] = Node::App(app.clone());
        let is_ready = self.is_ready(node);
        if was_ready != is_ready {
            self.pass_on(node, is_ready, changed);
        } else if why != self.why_not(node) {
            changed.extend(self.dependents(node));
        }
        let moved = self.relink(node, before.as_ref(), &app, changed);
        moved.then_some(node)
    }

    /// Brings the edges of an application up to date; whether any may have changed.
    fn relink(
        &mut self,
        node: NodeIndex,
        before: Option<&AppNode>,
        app: &AppNode,
        changed: &mut Vec<AppKey>,
    ) -> bool {
        let mut moved = false;
        if before.is_none_or(|before| before.labels != app.labels) {
            self.relabel(
                node,
                before.map(|app| &app.labels),
                Some(&app.labels),
                changed,
            );
            moved = true;
        }
        let family = |app: &AppNode| app.parent.clone().map(|parent| (parent, app.wave));
        let (old, new) = (before.and_then(family), family(app));
        if old != new {
            if let Some((parent, wave)) = old {
                self.leave(node, &parent, wave, changed);
            }
            if let Some((parent, wave)) = new {
                self.join(node, &parent, wave, changed);
            }
            moved = true;
        }
        let depended = before.map_or(&[][..], |before| &before.depends_on);
        if depended != app.depends_on {
            self.redraw(node, depended, &app.depends_on, changed);
            moved = true;
        }
        moved
    }

    /// Draws the edges to a dependent from everything that it refers to, and from nothing else but
    /// the waves before its own.
    fn redraw(
        &mut self,
        node: NodeIndex,
        before: &[Reference],
        references: &[Reference],
        changed: &mut Vec<AppKey>,
    ) {
        let wanted: BTreeSet<_> = references
            .iter()
            .flat_map(|reference| self.providers(node, reference))
            .collect();
        let drawn: BTreeSet<_> = self
            .edges
            .neighbors_directed(node, Direction::Incoming)
            .filter(|before| !matches!(self.edges[*before], Node::Wave { .. }))
            .collect();
        for provider in wanted.difference(&drawn) {
            self.connect(*provider, node, changed);
        }
        for provider in drawn.difference(&wanted) {
            self.disconnect(*provider, node, changed);
            self.drop_if_unneeded(*provider);
        }
        for reference in before.iter().filter(|one| !references.contains(one)) {
            if let Reference::Labels(labels) = reference
                && let Some(selection) = self.selections.get_mut(labels)
            {
                selection.dependents.remove(&node);
                if selection.dependents.is_empty() {
                    self.selections.remove(labels);
                }
            }
        }
    }

    /// What a reference means to who has it.
    fn providers(&mut self, dependent: NodeIndex, reference: &Reference) -> Vec<NodeIndex> {
        let found = match reference {
            Reference::Name(key) => vec![self.node_of(key)],
            Reference::Labels(labels) => self.select(labels, dependent),
            Reference::Malformed(_) => Vec::new(),
        };
        if !found.is_empty() {
            return found;
        }
        if let Some(node) = self.missing.get(reference) {
            return vec![*node];
        }
        let node = self.add(Node::Missing(reference.clone()));
        self.missing.insert(reference.clone(), node);
        vec![node]
    }

    /// The applications with these labels but for the one that asks, which is told of changes.
    fn select(&mut self, labels: &Labels, dependent: NodeIndex) -> Vec<NodeIndex> {
        if !self.selections.contains_key(labels) {
            let has_all = |node: &&NodeIndex| {
                self.app_at(**node)
                    .is_some_and(|app| has_all(&app.labels, labels))
            };
            let members = self.index.values().filter(has_all).copied().collect();
            self.selections.entry(labels.clone()).or_default().members = members;
        }
        let selection = self.selections.entry(labels.clone()).or_default();
        selection.dependents.insert(dependent);
        let members = selection.members.iter().copied();
        members.filter(|member| *member != dependent).collect()
    }

    /// Puts an application into the selections that its labels belong to, and out of the others.
    fn relabel(
        &mut self,
        node: NodeIndex,
        before: Option<&Labels>,
        after: Option<&Labels>,
        changed: &mut Vec<AppKey>,
    ) {
        let mut concerned = Vec::new();
        for (labels, selection) in &mut self.selections {
            let belongs =
                |given: Option<&Labels>| given.is_some_and(|given| has_all(given, labels));
            if belongs(before) == belongs(after) {
                continue;
            }
            if belongs(after) {
                selection.members.insert(node);
            } else {
                selection.members.remove(&node);
            }
            concerned.extend(selection.dependents.iter().copied());
        }
        for dependent in concerned {
            if dependent == node {
                continue;
            }
            let Some(app) = self.app_at(dependent).cloned() else {
                continue;
            };
            self.redraw(dependent, &app.depends_on, &app.depends_on, changed);
        }
    }

    /// Follows the origins of an application's revisions instead of those before.
    fn follow(&mut self, node: NodeIndex, before: &[(Origin, String)], after: &[(Origin, String)]) {
        for (origin, _) in before {
            if after.iter().any(|(kept, _)| kept == origin) {
                continue;
            }
            if let Some(followers) = self.origins.get_mut(origin) {
                followers.members.remove(&node);
                if followers.members.is_empty() {
                    self.origins.remove(origin);
                }
            }
        }
        for (origin, _) in after {
            if before.iter().any(|(known, _)| known == origin) {
                continue;
            }
            let followers = self.origins.entry(origin.clone()).or_default();
            followers.members.insert(node);
        }
    }

    fn node_of(&mut self, key: &AppKey) -> NodeIndex {
        if let Some(node) = self.index.get(key) {
            return *node;
        }
        let node = self.add(Node::Missing(Reference::Name(key.clone())));
        self.index.insert(key.clone(), node);
        node
    }

    /// Forgets a node for what does not exist and what nobody refers to any more.
    fn drop_if_unneeded(&mut self, node: NodeIndex) {
        let Some(Node::Missing(reference)) = self.edges.node_weight(node) else {
            return;
        };
        if self.edges.neighbors(node).next().is_some() {
            return;
        }
        match reference.clone() {
            Reference::Name(key) => drop(self.index.remove(&key)),
            other => drop(self.missing.remove(&other)),
        }
        self.edges.remove_node(node);
    }

    pub(super) fn add(&mut self, node: Node) -> NodeIndex {
        let node = self.edges.add_node(node);
        let size = self.unmet.len().max(node.index() + 1);
        self.unmet.resize(size, 0);
        self.unmet[node.index()] = 0;
        node
    }

    pub(super) fn connect(&mut self, a: NodeIndex, b: NodeIndex, changed: &mut Vec<AppKey>) {
        if self.edges.contains_edge(a, b) {
            return;
        }
        self.edges.add_edge(a, b, ());
        if !self.is_ready(a) {
            self.shift(b, false, changed);
        }
    }

    pub(super) fn disconnect(&mut self, a: NodeIndex, b: NodeIndex, changed: &mut Vec<AppKey>) {
        let Some(edge) = self.edges.find_edge(a, b) else {
            return;
        };
        let counted = !self.is_ready(a);
        self.edges.remove_edge(edge);
        if counted {
            self.shift(b, true, changed);
        }
    }

    /// Passes on that a node became ready, or ceased to be.
    fn pass_on(&mut self, node: NodeIndex, ready: bool, changed: &mut Vec<AppKey>) {
        let mut after = self
            .edges
            .neighbors_directed(node, Direction::Outgoing)
            .detach();
        while let Some((_, next)) = after.next(&self.edges) {
            self.shift(next, ready, changed);
        }
    }

    /// Counts that something before a node became ready, or ceased to be.
    fn shift(&mut self, node: NodeIndex, ready: bool, changed: &mut Vec<AppKey>) {
        let mut queue = vec![node];
        while let Some(node) = queue.pop() {
            let unmet = &mut self.unmet[node.index()];
            let waited = *unmet > 0;
            *unmet = if ready {
                unmet.saturating_sub(1)
            } else {
                *unmet + 1
            };
            if waited == (*unmet > 0) {
                continue;
            }
            match &self.edges[node] {
                Node::App(app) => changed.push(app.key.clone()),
                Node::Wave { .. } => {
                    queue.extend(self.edges.neighbors_directed(node, Direction::Outgoing));
                }
                Node::Missing(_) => {}
            }
        }
    }
}

fn has_all(given: &Labels, wanted: &Labels) -> bool {
    wanted
        .iter()
        .all(|(key, value)| given.get(key) == Some(value))
}
