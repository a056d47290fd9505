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
fn a_secret_that_cannot_be_read_is_an_error_for_its_urls_alone() {
    let (web, app) = (
        ("url", "https://git.example.com/web"),
        ("url", "https://git.example.com/org/app"),
    );
    let token = ("password", "s3cret");
    let (all, errors) = read(&[
        (
            "repository",
            data(&[web, token, ("insecure", "perhaps"), ("depth", "all")]),
        ),
        (
            "repo-creds",
            data(&[
                ("url", "https://git.example.com/org"),
                ("githubAppPrivateKey", "s3cret"),
            ]),
        ),
        (
            "repo-creds",
            data(&[("url", "https://git.example.com"), token]),
        ),
        ("repository", data(&[("type", "svn")])),
    ]);
    assert_eq!((errors.len(), all.unreadable()), (3, 3));
    let why = |(_, url), project| {
        let found = all.find(url, project);
        found.usable().err().map(|error| error.to_string())
    };
    let of_web = "https://git.example.com/web cannot be read: the repository Secret repo-1 cannot be used: \
                  `insecure` must be `true` or `false`; `depth` must be a whole number";
    assert_eq!(why(web, "default").as_deref(), Some(of_web));
    let of_app = why(app, "default").unwrap();
    assert!(of_app.contains("`githubAppID` is missing"), "{of_app}");
    assert_eq!(
        why(("url", "https://git.example.com/other"), "default"),
        None
    );
}

#[test]
fn another_secret_for_the_same_url_serves_it() {
    let one = |key, value| {
        let url = ("url", "https://git.example.com/a");
        data(&[url, ("password", "p"), (key, value)])
    };
    for kind in ["repository", "repo-creds"] {
        let (right, wrong) = (one("username", "ada"), one("insecure", "perhaps"));
        let (all, errors) = read(&[(kind, wrong.clone()), (kind, right), (kind, wrong)]);
        assert_eq!(errors.len(), 2);
        let found = all.find("https://git.example.com/a", "default");
        assert_eq!(user(&found), "ada", "{kind}");
    }
    let (all, _) = read(&[
        ("repository", one("username", "ada")),
        ("repository", {
            let mut own = one("insecure", "perhaps");
            own.insert("project".to_owned(), Secret::new("red"));
            own
        }),
    ]);
    let find = |project| all.find("https://git.example.com/a", project);
    assert!(find("red").usable().is_err() && find("blue").usable().is_ok());
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
