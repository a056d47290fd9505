//! JSON values whose every use is paid for, by their size where they are looked at as a whole.
//!
//! A few words of jq build a value that shares its parts and is astronomically big to whoever
//! compares or prints it; so nothing here walks a value that it has not paid for before.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::rc::Rc;

use jaq_core::box_iter::BoxIter;
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Exn, ValR, ValT, ValX};
use jaq_json::{Map, Val};

use super::budget::pay;

/// So many bytes of text are as dear as one value.
const BYTES_A_STEP: usize = 16;

/// A value that is paid for.
#[derive(Debug, Default)]
pub(super) struct Paid(pub(super) Val);

type Error = jaq_core::Error<Paid>;

impl Paid {
    /// Pays for all of the value, as who compares or prints it has to.
    pub(super) fn pay_whole(&self) {
        whole(&self.0);
    }

    /// Pays for the value without what is in its items.
    fn pay_top(&self) {
        pay(top(&self.0));
    }

    /// The number of an array's item; a negative one counts from the end.
    fn place(&self, length: usize) -> Option<usize> {
        let at = jaq_std::ValT::as_isize(&self.0)?;
        let at = if at < 0 {
            length.checked_sub(at.unsigned_abs())?
        } else {
            at.unsigned_abs()
        };
        (at < length).then_some(at)
    }
}

fn top(value: &Val) -> usize {
    1 + match value {
        Val::BStr(bytes) | Val::TStr(bytes) => bytes.len() / BYTES_A_STEP,
        Val::Arr(items) => items.len(),
        Val::Obj(fields) => fields.len(),
        Val::Null | Val::Bool(_) | Val::Num(_) => 0,
    }
}

fn whole(value: &Val) {
    pay(top(value));
    match value {
        Val::Arr(items) => items.iter().for_each(whole),
        Val::Obj(fields) => fields.iter().for_each(|(key, value)| {
            whole(key);
            whole(value);
        }),
        _ => {}
    }
}

/// An error whose text nobody reads: to write it down would cost as much as the values in it.
pub(super) fn failed() -> Error {
    Error::new(Paid(Val::utf8_str(
        "the operation is not defined for these values",
    )))
}

fn paid(result: Result<Val, jaq_json::Error>) -> ValR<Paid> {
    result.map(Paid).map_err(|_| failed())
}

impl Clone for Paid {
    fn clone(&self) -> Self {
        pay(1);
        Self(self.0.clone())
    }
}

impl PartialEq for Paid {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Paid {}

impl PartialOrd for Paid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Paid {
    fn cmp(&self, other: &Self) -> Ordering {
        // Values of two kinds are told apart at once, and so is what is empty.
        let is_same_kind = std::mem::discriminant(&self.0) == std::mem::discriminant(&other.0);
        if is_same_kind && top(&self.0) > 1 && top(&other.0) > 1 {
            self.pay_whole();
            other.pay_whole();
        } else {
            pay(1);
        }
        self.0.cmp(&other.0)
    }
}

impl fmt::Display for Paid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pay_whole();
        self.0.fmt(f)
    }
}

macro_rules! from {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Paid {
            fn from(value: $kind) -> Self {
                let value = Self(Val::from(value));
                value.pay_top();
                value
            }
        })*
    };
}
from!(bool, isize, usize, f64, String);

impl From<Range<Self>> for Paid {
    fn from(range: Range<Self>) -> Self {
        pay(1);
        Self(Val::from(
            range.start.map(|one| one.0)..range.end.map(|one| one.0),
        ))
    }
}

impl FromIterator<Self> for Paid {
    fn from_iter<T: IntoIterator<Item = Self>>(items: T) -> Self {
        let items = items.into_iter().map(|item| {
            pay(1);
            item.0
        });
        Self(items.collect())
    }
}

macro_rules! calculate {
    ($($operation:ident $name:ident),*) => {
        $(impl $operation for Paid {
            type Output = ValR<Self>;
            fn $name(self, other: Self) -> ValR<Self> {
                self.pay_top();
                other.pay_top();
                paid(self.0.$name(other.0))
            }
        })*
    };
}
calculate!(Add add, Rem rem);

impl Sub for Paid {
    type Output = ValR<Self>;
    fn sub(self, other: Self) -> ValR<Self> {
        // Each item of one list is looked for among those of the other.
        let depth = usize::BITS - top(&other.0).leading_zeros();
        for _ in 0..=depth {
            self.pay_whole();
            other.pay_whole();
        }
        paid(self.0 - other.0)
    }
}

impl Mul for Paid {
    type Output = ValR<Self>;
    fn mul(self, other: Self) -> ValR<Self> {
        self.pay_whole();
        other.pay_whole();
        match (&self.0, &other.0) {
            (Val::BStr(_) | Val::TStr(_), _) | (_, Val::BStr(_) | Val::TStr(_)) => Err(failed()),
            _ => paid(self.0 * other.0),
        }
    }
}

impl Div for Paid {
    type Output = ValR<Self>;
    fn div(self, other: Self) -> ValR<Self> {
        // A text that is split may become as many texts as it has letters.
        if let Val::BStr(text) | Val::TStr(text) = &self.0 {
            pay(text.len());
        }
        other.pay_top();
        paid(self.0 / other.0)
    }
}

impl Neg for Paid {
    type Output = ValR<Self>;
    fn neg(self) -> ValR<Self> {
        pay(1);
        paid(-self.0)
    }
}

impl ValT for Paid {
    fn from_num(text: &str) -> ValR<Self> {
        pay(1 + text.len());
        paid(Val::from_num(text))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(fields: I) -> ValR<Self> {
        let fields = fields.into_iter().map(|(key, value)| {
            key.pay_whole();
            pay(1);
            (key.0, value.0)
        });
        paid(Val::from_map(fields))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        self.pay_top();
        Box::new(self.0.key_values().map(|one| {
            pay(1);
            one.map(|(key, value)| (Self(key), Self(value)))
                .map_err(|_| failed())
        }))
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        self.pay_top();
        Box::new(self.0.values().map(|one| {
            pay(1);
            paid(one)
        }))
    }

    fn index(self, index: &Self) -> ValR<Self> {
        match &index.0 {
            Val::Arr(_) => {
                self.pay_whole();
                (0..top(&self.0)).for_each(|_| index.pay_whole());
            }
            Val::Obj(_) => {
                self.pay_top();
                index.pay_whole();
            }
            simple => pay(top(simple)),
        }
        paid(self.0.index(&index.0))
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        self.pay_top();
        paid(
            self.0
                .range(range.start.map(|one| &one.0)..range.end.map(|one| &one.0)),
        )
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        self.pay_top();
        match self.0 {
            Val::Arr(items) => Rc::unwrap_or_clone(items)
                .into_iter()
                .flat_map(|item| f(Self(item)))
                .collect(),
            Val::Obj(fields) => {
                let fields = Rc::unwrap_or_clone(fields).into_iter();
                let changed = fields.filter_map(|(key, value)| {
                    let value = f(Self(value)).next()?;
                    Some(value.map(|value| (key, value.0)))
                });
                Ok(Self(Val::obj(
                    changed.collect::<Result<Map, Exn<'_, Self>>>()?,
                )))
            }
            other => opt.fail(Self(other), |_| failed().into()),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        self.pay_top();
        index.pay_whole();
        match self.0 {
            Val::Obj(mut fields) => {
                let inner = Rc::make_mut(&mut fields);
                let before = inner.get(&index.0).cloned().unwrap_or_default();
                match f(Self(before)).next().transpose()? {
                    Some(value) => {
                        inner.insert(index.0.clone(), value.0);
                    }
                    None => {
                        inner.shift_remove(&index.0);
                    }
                }
                Ok(Self(Val::Obj(fields)))
            }
            Val::Arr(mut items) => {
                let Some(at) = index.place(items.len()) else {
                    return opt.fail(Self(Val::Arr(items)), |_| failed().into());
                };
                let inner = Rc::make_mut(&mut items);
                match f(Self(std::mem::take(&mut inner[at]))).next().transpose()? {
                    Some(value) => inner[at] = value.0,
                    None => {
                        inner.remove(at);
                    }
                }
                Ok(Self(Val::Arr(items)))
            }
            other => opt.fail(Self(other), |_| failed().into()),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        self.pay_top();
        let Val::Arr(mut items) = self.0 else {
            return opt.fail(self, |_| failed().into());
        };
        let bound = |bound: Option<&Self>, or: usize| {
            bound.map_or(or, |bound| bound.place(items.len() + 1).unwrap_or(or))
        };
        let (from, until) = (bound(range.start, 0), bound(range.end, items.len()));
        let until = until.max(from);
        let part = items[from..until].iter().cloned().map(Self).collect();
        let changed = f(part).next().transpose()?.unwrap_or_default();
        changed.pay_top();
        let Val::Arr(changed) = changed.0 else {
            return Err(failed().into());
        };
        Rc::make_mut(&mut items).splice(from..until, changed.iter().cloned());
        Ok(Self(Val::Arr(items)))
    }

    fn as_bool(&self) -> bool {
        self.0.as_bool()
    }

    fn into_string(self) -> Self {
        self.pay_whole();
        Self(self.0.into_string())
    }
}

impl jaq_std::ValT for Paid {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        self.pay_top();
        let items = jaq_std::ValT::into_seq::<Vec<Val>>(self.0).map_err(Self)?;
        Ok(items.into_iter().map(Self).collect())
    }

    fn is_int(&self) -> bool {
        jaq_std::ValT::is_int(&self.0)
    }

    fn as_isize(&self) -> Option<isize> {
        jaq_std::ValT::as_isize(&self.0)
    }

    fn as_f64(&self) -> Option<f64> {
        jaq_std::ValT::as_f64(&self.0)
    }

    fn is_utf8_str(&self) -> bool {
        jaq_std::ValT::is_utf8_str(&self.0)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.pay_top();
        jaq_std::ValT::as_bytes(&self.0)
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        pay(1);
        Self(self.0.as_sub_str(part))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        pay(1 + bytes.as_ref().len() / BYTES_A_STEP);
        Self(<Val as jaq_std::ValT>::from_utf8_bytes(bytes))
    }
}
