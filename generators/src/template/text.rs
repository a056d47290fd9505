//! One text with parameters in it, in either mode.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use argosy_crds::ApplicationSet;
use argosy_gotemplate::{
    FuncMap, MissingKey, Options, RANDOM_NAMES, Random, Reference, References, Seams, Template,
    Value, argocd,
};
use sha2::{Digest as _, Sha256};

use super::fast;
use crate::flatten::flatten;
use crate::params::Params;
use crate::settings::Settings;

/// Parses texts in the mode of a set.
pub(crate) struct Engine {
    go: Option<Go>,
}

struct Go {
    functions: FuncMap,
    options: Result<Options, String>,
    dice: Dice,
}

impl Engine {
    pub(crate) fn new(set: &ApplicationSet, settings: &Settings) -> Self {
        let spec = &set.spec;
        let go = spec.go_template.then(|| {
            let now = settings.now;
            let dice = Dice::new(set);
            let mut parsed = Options::default();
            let applied = spec
                .go_template_options
                .iter()
                .try_for_each(|option| parsed.parse_option(option));
            Go {
                functions: argocd::functions(&Seams {
                    now: Arc::new(move || now),
                    random: dice.random.clone(),
                }),
                options: applied.map(|()| parsed).map_err(|error| error.to_string()),
                dice,
            }
        });
        Self { go }
    }

    /// Whether Go templates are used.
    pub(crate) fn is_go(&self) -> bool {
        self.go.is_some()
    }

    pub(crate) fn compile(&self, text: &str) -> Text {
        self.compile_with(text, None)
    }

    /// As [`Self::compile`], but in Go mode a missing key is an error whatever the options say.
    pub(crate) fn compile_strict(&self, text: &str) -> Text {
        self.compile_with(text, Some(MissingKey::Error))
    }

    fn compile_with(&self, text: &str, missing_key: Option<MissingKey>) -> Text {
        if !text.contains("{{") {
            return Text::Literal(text.into());
        }
        let Some(go) = &self.go else {
            return fast::parse(text);
        };
        let mut options = match &go.options {
            Ok(options) => *options,
            Err(problem) => return Text::Broken(problem.as_str().into()),
        };
        options.missing_key = missing_key.unwrap_or(options.missing_key);
        match Template::parse("base", text, &go.functions, options) {
            Ok(template) => Text::Go {
                text: text.into(),
                template,
                dice: RANDOM_NAMES
                    .iter()
                    .any(|name| text.contains(name))
                    .then(|| go.dice.clone()),
            },
            Err(error) => Text::Broken(format!("failed to parse template {text}: {error}").into()),
        }
    }
}

/// A parsed text.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// Nothing in it is replaced.
    Literal(Arc<str>),
    /// Literals and tags in turn, fast mode.
    Fast(Vec<fast::Piece>),
    /// A Go template.
    Go {
        /// What it was parsed from.
        text: Arc<str>,
        /// What it was parsed to.
        template: Template,
        /// What its random functions draw from, if it may call any.
        dice: Option<Dice>,
    },
    /// It cannot be parsed, and why.
    Broken(Arc<str>),
}

impl Text {
    /// The parameters that it names: in Go mode by path, in fast mode by their flat names.
    pub(crate) fn references(&self) -> References {
        match self {
            Self::Literal(_) | Self::Broken(_) => References::default(),
            Self::Fast(pieces) => References {
                fields: fast::names(pieces).map(named).collect(),
                ..References::default()
            },
            Self::Go { template, .. } => template.references(),
        }
    }

    /// Why it cannot be parsed.
    pub(crate) fn problem(&self) -> Option<&str> {
        match self {
            Self::Broken(problem) => Some(problem),
            _ => None,
        }
    }

    pub(crate) fn render(&self, scope: &Scope<'_>) -> Result<String, String> {
        match self {
            Self::Literal(text) => Ok(text.to_string()),
            Self::Fast(pieces) => Ok(fast::render(pieces, scope.params)),
            Self::Go {
                text,
                template,
                dice,
            } => {
                if let Some(dice) = dice {
                    scope.throw(dice);
                }
                template
                    .execute(scope.value())
                    .map_err(|error| format!("failed to execute go template {text}: {error}"))
            }
            Self::Broken(problem) => Err(problem.to_string()),
        }
    }
}

fn named(name: Arc<str>) -> Reference {
    Reference {
        path: vec![name],
        lookup: false,
        provided: false,
    }
}

/// Random functions that give the same for the same set and parameters: an Application that is
/// generated again is the same again, and other Applications of the set do not change it.
///
/// The set's uid is part of the seed, so that what one set draws tells nothing of another.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    random: Random,
    set: Arc<str>,
}

impl Dice {
    fn new(set: &ApplicationSet) -> Self {
        let metadata = &set.metadata;
        let identity = metadata.uid.as_deref().or(metadata.name.as_deref());
        Self {
            random: Random::new([0; 32]),
            set: identity.unwrap_or_default().into(),
        }
    }

    fn throw(&self, params: &Params) {
        let mut seed = Sha256::new_with_prefix(self.set.as_bytes());
        for (key, value) in flatten(params) {
            for text in [key, value] {
                seed.update([0]);
                seed.update(text);
            }
        }
        self.random.reseed(seed.finalize().into());
    }
}

/// A set of parameters on which texts are run; its form for Go templates is made at most once.
pub(crate) struct Scope<'p> {
    params: &'p Params,
    value: OnceCell<Value>,
    is_thrown: Cell<bool>,
}

impl<'p> Scope<'p> {
    pub(crate) fn new(params: &'p Params) -> Self {
        Self {
            params,
            value: OnceCell::new(),
            is_thrown: Cell::new(false),
        }
    }

    /// Lets random functions begin where they always begin for these parameters.
    fn throw(&self, dice: &Dice) {
        if !self.is_thrown.replace(true) {
            dice.throw(self.params);
        }
    }

    fn value(&self) -> &Value {
        self.value.get_or_init(|| self.params.to_value())
    }
}
