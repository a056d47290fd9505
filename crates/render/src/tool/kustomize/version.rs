//! Versions of Kustomize that a hub is told of besides its own: `kustomize.path.VERSION` or
//! `kustomize.version.VERSION` in `argocd-cm`, and `kustomize.buildOptions.VERSION`.

use std::{collections::BTreeMap, path::PathBuf};

/// A version by its name, which sources give in `kustomize.version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KustomizeVersion {
    /// Its name.
    pub name: String,
    /// Its program.
    pub program: PathBuf,
    /// Its options for `kustomize build`; those of the hub's own version are not for it.
    pub build_options: String,
}

/// The versions that `argocd-cm` names, by name.
pub fn kustomize_versions(argocd_cm: &BTreeMap<String, String>) -> Vec<KustomizeVersion> {
    let named = |prefix: &'static str| {
        let entries = argocd_cm.iter();
        entries.filter_map(move |(key, path)| Some((key.strip_prefix(prefix)?, path)))
    };
    let mut programs: BTreeMap<_, _> = named("kustomize.version.").collect();
    programs.extend(named("kustomize.path."));
    let version = |(name, program): (&str, &String)| KustomizeVersion {
        name: name.to_owned(),
        program: PathBuf::from(program.trim()),
        build_options: argocd_cm
            .get(&format!("kustomize.buildOptions.{name}"))
            .cloned()
            .unwrap_or_default(),
    };
    programs.into_iter().map(version).collect()
}

/// The version that a source names; `None` for the hub's own, which builds everything where nobody
/// knows of others.
pub(super) fn chosen<'a>(
    name: &str,
    versions: Option<&'a [KustomizeVersion]>,
) -> Result<Option<&'a KustomizeVersion>, String> {
    let (false, Some(versions)) = (name.is_empty(), versions) else {
        return Ok(None);
    };
    let found = versions.iter().find(|version| version.name == name);
    let found = found.ok_or_else(|| {
        format!(
            "kustomize version {name} is not registered; set kustomize.path.{name} in argocd-cm to \
             its program in the hub's image, or remove `kustomize.version` from the source"
        )
    })?;
    if !found.program.is_absolute() || !found.program.is_file() {
        return Err(format!(
            "kustomize version {name} is not at {}, where kustomize.path.{name} in argocd-cm says; \
             put it there in the hub's image",
            found.program.display()
        ));
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_their_own_options() {
        let data = [
            ("kustomize.buildOptions", "--enable-helm"),
            ("kustomize.path.v4.5.7", "/custom-tools/kustomize_4_5_7"),
            ("kustomize.buildOptions.v4.5.7", "--reorder none"),
            ("kustomize.version.v5.0", "/custom-tools/kustomize_5_0"),
        ];
        let data = data.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let found = kustomize_versions(&data.into());
        let told: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.program.to_str().unwrap(),
                    one.build_options.as_str(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("v4.5.7", "/custom-tools/kustomize_4_5_7", "--reorder none"),
                ("v5.0", "/custom-tools/kustomize_5_0", ""),
            ]
        );
        assert_eq!(chosen("", Some(&found)), Ok(None));
        assert_eq!(chosen("v3", None), Ok(None));
        for (name, why) in [
            ("v3", "kustomize version v3 is not registered"),
            ("v5.0", "is not at /custom"),
        ] {
            let error = chosen(name, Some(&found)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
