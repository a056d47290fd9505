//! Templates that make private keys: each expansion gives others.

use std::collections::BTreeSet;

use super::{Finding, Level, Subject, texts};

/// The functions of sprig whose result is new each time, whatever is seeded.
const MAKERS: [&str; 7] = [
    "genPrivateKey",
    "genCA",
    "genCAWithKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
];

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let engine = subject.engine();
    let entries = subject.set.spec.generators.iter().enumerate();
    let rendered =
        entries.flat_map(|(index, entry)| texts::of_entry(subject, index, entry, &engine));
    let making: BTreeSet<(String, &str)> = rendered
        .flat_map(|placed| {
            let called = placed.text.references().functions;
            let makers = MAKERS.iter().filter(|maker| called.contains(**maker));
            makers
                .map(|maker| (placed.place.clone(), *maker))
                .collect::<Vec<_>>()
        })
        .collect();
    making
        .into_iter()
        .map(|(place, maker)| Finding {
            level: Level::Warning,
            rule: "fresh-key",
            place,
            message: format!(
                "`{maker}` makes something else each time the set is expanded, so that the Application is written anew, and its secret stands in the Application"
            ),
            fix: "keep the key in a Secret of the cluster, or let cert-manager issue it".to_owned(),
        })
        .collect()
}
