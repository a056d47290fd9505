//! A control plane with roles gives a user no more than the roles do.

use argosy_test_support::{Authorization, ControlPlane, Options};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Error;
use kube::api::{Api, ListParams};

#[tokio::test]
async fn a_user_without_roles_is_refused() {
    let options = Options {
        servers: 1,
        authorization: Authorization::Rbac,
    };
    let control_plane = ControlPlane::start_with(options).await;
    let server = &control_plane.servers()[0];
    let everything = ListParams::default();

    let admin: Api<ConfigMap> = Api::default_namespaced(server.client());
    admin.list(&everything).await.unwrap();
    let nobody: Api<ConfigMap> = Api::default_namespaced(server.client_of_nobody());
    let error = nobody.list(&everything).await.unwrap_err();
    assert!(matches!(error, Error::Api(status) if status.code == 403));
}
