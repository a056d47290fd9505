//! What Secrets become, and which registration a URL means.

use super::*;

fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Secret::new(*value)))
        .collect()
}

fn read(secrets: &[(&str, BTreeMap<String, Secret>)]) -> (Repositories, Vec<SecretError>) {
    Repositories::read(
        secrets.iter().map(|(kind, data)| ("repo-1", *kind, data)),
        TrustedHosts::default(),
    )
}

fn user(repository: &Repository) -> &str {
    match &repository.credentials {
        Credentials::Basic { username, .. } => username,
        _ => "",
    }
}

#[test]
fn the_longest_template_lends_its_credentials_to_who_has_none() {
    let template = |url, user| {
        let data = data(&[("url", url), ("username", user), ("password", "p")]);
        ("repo-creds", data)
    };
    let (all, errors) = read(&[
        template("https://git.example.com", "host"),
        template("https://git.example.com/org", "org"),
        (
            "repository",
            data(&[
                ("url", "https://git.example.com/org/own.git"),
                ("username", "own"),
                ("password", "p"),
            ]),
        ),
    ]);
    assert_eq!(errors, []);
    let find = |url| user(&all.find(url, "default")).to_owned();
    assert_eq!(find("https://git.example.com/org/app"), "org");
    assert_eq!(find("https://git.example.com/other"), "host");
    assert_eq!(find("https://GIT.example.com/org/own"), "own");
    assert_eq!(find("https://elsewhere.example.com/x"), "");
}

#[test]
fn a_projects_repository_is_its_own() {
    let scoped = |project, user| {
        let data = data(&[
            ("url", "https://git.example.com/a"),
            ("project", project),
            ("username", user),
            ("password", "p"),
        ]);
        ("repository", data)
    };
    let (all, _) = read(&[scoped("", "all"), scoped("red", "red")]);
    let find = |project| user(&all.find("https://git.example.com/a.git", project)).to_owned();
    assert_eq!(find("red"), "red");
    assert_eq!(find("blue"), "all");
}

#[test]
fn one_bad_secret_hides_no_other() {
    let (all, errors) = read(&[
        ("repository", data(&[("username", "x")])),
        ("repository", data(&[("url", "https://git.example.com/a")])),
        ("cluster", data(&[])),
    ]);
    assert_eq!(all.iter().count(), 1);
    assert_eq!(
        errors[0].to_string(),
        "the repository Secret repo-1 cannot be used: `url` is missing"
    );
}

#[test]
fn what_is_not_served_is_never_read_as_nothing() {
    for (key, value) in [
        ("gcpServiceAccountKey", "{}"),
        ("useAzureWorkloadIdentity", "true"),
        ("azureServicePrincipalClientSecret", "x"),
    ] {
        let url = ("url", "https://git.example.com/a");
        let (all, errors) = read(&[("repository", data(&[url, (key, value)]))]);
        assert_eq!(errors, []);
        let found = all.find("https://git.example.com/a", "default");
        assert!(
            matches!(found.credentials, Credentials::Unsupported(_)),
            "{key}"
        );
    }
}

#[test]
fn dependencies_are_found_by_name_by_url_and_below_a_registry() {
    let (all, errors) = read(&[
        (
            "repository",
            data(&[
                ("url", "https://charts.example.com"),
                ("name", "stable"),
                ("type", "helm"),
                ("username", "helm"),
                ("password", "p"),
            ]),
        ),
        (
            "repository",
            data(&[
                ("url", "reg.example.com:5000/org"),
                ("type", "helm"),
                ("enableOCI", "true"),
                ("username", "oci"),
                ("password", "p"),
            ]),
        ),
    ]);
    assert_eq!(errors, []);
    let find = |address| all.of_dependency(address, "default");
    for name in ["@stable", "alias:stable", "https://charts.example.com"] {
        let found = find(name).unwrap();
        assert_eq!(
            (found.url.as_str(), user(&found)),
            ("https://charts.example.com", "helm")
        );
    }
    assert!(find("@other").is_none());
    let found = find("oci://reg.example.com:5000/org/team").unwrap();
    assert_eq!(
        (found.url.as_str(), user(&found)),
        ("oci://reg.example.com:5000/org/team", "oci")
    );
    assert_eq!(
        user(&find("oci://reg.example.com:5000/organic").unwrap()),
        ""
    );
    assert_eq!(user(&all.find("reg.example.com:5001/x", "default")), "");
}

/// CVE-2023-25163.
#[test]
fn a_password_in_the_url_is_taken_out_of_it() {
    let repository = Repository::public("https://bot:s3cr%40t@git.example.com/a.git");
    assert_eq!(repository.url, "https://git.example.com/a.git");
    assert_eq!(user(&repository), "bot");
    let secret = repository.secrets().next().unwrap();
    assert_eq!(secret.expose(), "s3cr@t");
    assert!(!format!("{repository:?}").contains("s3cr"));
}
