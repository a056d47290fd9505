//! The graph of the fleet, kept in step with the index.

use argosy_crds::{Application, ApplicationSource, names};
use argosy_engine::graph::{AppKey, AppNode, Origin};
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
        drop(graph);
        self.wake_all(changed);
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
        drop(graph);
        self.wake_all(changed);
    }

    /// Wakes those for whom a change of the graph may mean something: to go on, or to say why they
    /// wait. Whether they say so already is not asked, for what they say may still be on its way.
    fn wake_all(&self, changed: Vec<AppKey>) {
        let wakes = changed.into_iter().map(|key| {
            let name = ObjectName::new(&key.namespace, &key.name);
            Wake::Application(name, Lane::Urgent)
        });
        self.wake(wakes);
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
