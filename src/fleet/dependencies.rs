//! The graph of the fleet, kept in step with the index.

use argosy_crds::codes::condition;
use argosy_crds::{Application, ApplicationSource, names};
use argosy_engine::graph::{AppKey, AppNode, Graph, Origin};
use serde_json::json;

use super::{Fleet, ObjectName, Wake};
use crate::controller::application::name_of_instance;
use crate::controller::queue::Lane;

impl Fleet {
    /// Takes an application into the graph as the index has it, and wakes whoever waits for it.
    pub(super) fn relate(&self, name: &ObjectName) {
        let key = AppKey::new(&name.namespace, &name.name);
        // The graph first, so that of two changes the later one is what stays in it.
        let mut graph = self.graph();
        let application = self.index().applications.read(name).cloned();
        let changed = match application {
            Some(application) => {
                let parent = self.parent(&application);
                graph.upsert(AppNode::of(&application, parent))
            }
            None => graph.remove(&key),
        };
        let wakes = self.concerned(&graph, changed);
        drop(graph);
        self.wake(wakes);
    }

    /// Takes all applications into the graph anew: what marks an application's children changed.
    pub(super) fn relate_all(&self) {
        let names: Vec<_> = self.index().applications.names().cloned().collect();
        for name in names {
            self.relate(&name);
        }
    }

    /// Notes the newest revisions of sources: who has not come to them holds up whoever waits.
    pub(crate) fn saw_revisions(&self, sources: &[ApplicationSource], revisions: &[String]) {
        let mut graph = self.graph();
        let mut changed = Vec::new();
        for (source, revision) in sources.iter().zip(revisions) {
            changed.extend(graph.set_head(&Origin::of(source), revision));
        }
        let wakes = self.concerned(&graph, changed);
        drop(graph);
        self.wake(wakes);
    }

    /// Whom a change of the graph has something to do for: who is free to go on, and who says of
    /// itself why it waits.
    fn concerned(&self, graph: &Graph, changed: Vec<AppKey>) -> Vec<Wake> {
        let index = self.index();
        let says_why = |name: &ObjectName| {
            let application = index.applications.read(name);
            let status = application.and_then(|application| application.status.as_ref());
            let mut conditions = status.iter().flat_map(|status| &status.conditions);
            conditions.any(|one| {
                [condition::WAITING, condition::INVALID_SPEC_ERROR].contains(&one.type_.as_str())
            })
        };
        let mut wakes = Vec::new();
        for key in changed {
            let name = ObjectName::new(&key.namespace, &key.name);
            if !graph.waits(&key) || graph.cycle_of(&key).is_some() || says_why(&name) {
                wakes.push(Wake::Application(name, Lane::Urgent));
            }
        }
        wakes
    }

    /// The application that manages another, by the marks that it has put there.
    fn parent(&self, application: &Application) -> Option<AppKey> {
        let metadata = &application.metadata;
        let object = json!({
            "apiVersion": names::API_VERSION, "kind": "Application",
            "metadata": {
                "name": metadata.name, "namespace": metadata.namespace,
                "labels": metadata.labels, "annotations": metadata.annotations,
            },
        });
        let tracking = &self.settings().tracking;
        let instance = tracking
            .owner(&object)
            .filter(|_| tracking.is_self_referencing(&object))?;
        let parent = name_of_instance(&instance, &self.namespace);
        Some(AppKey::new(parent.namespace, parent.name))
    }
}
