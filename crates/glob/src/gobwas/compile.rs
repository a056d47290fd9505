//! Chooses matchers for a pattern's tree, in the order of preferences that gobwas has.

use super::matcher::{Matcher, Tree};
use super::parse::Node;

pub(super) fn compile(node: &Node, separators: &[char]) -> Matcher {
    let matcher = match node {
        Node::AnyOf(alternatives) => {
            return match factor(alternatives) {
                Some(factored) => compile(&factored, separators),
                None => Matcher::AnyOf(
                    alternatives
                        .iter()
                        .map(|node| compile(node, separators))
                        .collect(),
                ),
            };
        }
        Node::Pattern(nodes) if nodes.is_empty() => return Matcher::Nothing,
        Node::Pattern(nodes) => {
            let parts = nodes.iter().map(|node| compile(node, separators)).collect();
            join(&glue_longest(parts))
        }
        Node::Any => Matcher::Any(separators.to_vec()),
        Node::Super => Matcher::Super,
        Node::Single => Matcher::Single(separators.to_vec()),
        Node::Nothing => Matcher::Nothing,
        Node::List { chars, negated } => Matcher::List {
            chars: chars.clone(),
            negated: *negated,
        },
        Node::Range { low, high, negated } => Matcher::Range {
            low: *low,
            high: *high,
            negated: *negated,
        },
        Node::Text(text) => Matcher::text(text),
    };
    simplify(matcher)
}

/// Takes what all alternatives begin and end with out of them.
fn factor(alternatives: &[Node]) -> Option<Node> {
    let parts: Vec<&[Node]> = alternatives
        .iter()
        .map(|node| match node {
            Node::Pattern(parts) => parts.as_slice(),
            _ => &[],
        })
        .collect();
    let shortest = parts.iter().map(|nodes| nodes.len()).min()?;
    if parts.len() < 2 {
        return None;
    }
    let first = parts[0];
    let left = (0..shortest)
        .take_while(|&i| parts.iter().all(|nodes| nodes[i] == first[i]))
        .count();
    let from_end = |nodes: &[Node], i: usize| nodes[nodes.len() - 1 - i].clone();
    let right = (0..shortest - left)
        .take_while(|&i| {
            parts
                .iter()
                .all(|nodes| from_end(nodes, i) == from_end(first, i))
        })
        .count();
    if left == 0 && right == 0 {
        return None;
    }
    let mut rests: Vec<Node> = Vec::new();
    for nodes in &parts {
        let middle = &nodes[left..nodes.len() - right];
        let rest = if middle.is_empty() {
            Node::Nothing
        } else {
            Node::Pattern(middle.to_vec())
        };
        if !rests.contains(&rest) {
            rests.push(rest);
        }
    }
    let mut result = Vec::new();
    if left > 0 {
        result.push(Node::Pattern(first[..left].to_vec()));
    }
    match rests.as_slice() {
        [Node::Nothing] => {}
        [only] => result.push(only.clone()),
        _ => result.push(Node::AnyOf(rests)),
    }
    if right > 0 {
        result.push(Node::Pattern(first[first.len() - right..].to_vec()));
    }
    Some(Node::Pattern(result))
}

/// Replaces runs of matchers by one matcher, the longest run first, until none is left.
fn glue_longest(matchers: Vec<Matcher>) -> Vec<Matcher> {
    let mut best: Option<(usize, usize, Matcher)> = None;
    for left in 0..matchers.len() {
        for right in (left + 1..=matchers.len()).rev() {
            let Some(glued) = glue(&matchers[left..right]) else {
                continue;
            };
            let better = best.as_ref().is_none_or(|(from, to, done)| {
                matches!((done.len(), glued.len()), (Some(old), Some(new)) if new > old)
                    || to - from < right - left
            });
            if better {
                best = Some((left, right, glued));
            }
        }
    }
    let Some((left, right, glued)) = best else {
        return matchers;
    };
    let mut next = matchers[..left].to_vec();
    next.push(glued);
    next.extend_from_slice(&matchers[right..]);
    if next.len() == matchers.len() {
        next
    } else {
        glue_longest(next)
    }
}

fn glue(matchers: &[Matcher]) -> Option<Matcher> {
    if matchers.len() < 2 {
        return None;
    }
    glue_unbound(matchers).or_else(|| {
        let len = matchers.iter().map(Matcher::len).sum::<Option<usize>>()?;
        Some(Matcher::Row {
            len,
            parts: matchers.to_vec(),
        })
    })
}

/// Joins matchers that only count characters and avoid separators.
fn glue_unbound(matchers: &[Matcher]) -> Option<Matcher> {
    let (mut any, mut everything, mut min) = (false, false, 0_usize);
    let mut separators: Option<&[char]> = None;
    for matcher in matchers {
        let avoided: &[char] = match matcher {
            Matcher::Super => {
                everything = true;
                &[]
            }
            Matcher::Any(separators) => {
                any = true;
                separators
            }
            Matcher::Single(separators) => {
                min += 1;
                separators
            }
            Matcher::List {
                chars,
                negated: true,
            } => {
                min += 1;
                chars
            }
            _ => return None,
        };
        if *separators.get_or_insert(avoided) != avoided {
            return None;
        }
    }
    let separators = separators.unwrap_or_default();
    if everything && !any && min == 0 {
        return Some(Matcher::Super);
    }
    if any && !everything && min == 0 {
        return Some(Matcher::Any(separators.to_vec()));
    }
    if (any || everything) && min > 0 && separators.is_empty() {
        return Some(Matcher::Min(min));
    }
    let mut every = Vec::new();
    if min > 0 {
        every.push(Matcher::Min(min));
        if !any && !everything {
            every.push(Matcher::Max(min));
        }
    }
    if !separators.is_empty() {
        every.push(Matcher::Contains {
            needle: separators.iter().collect::<String>().into_bytes(),
            negated: true,
        });
    }
    Some(Matcher::EveryOf(every))
}

/// Hangs the matchers left and right of the longest one of fixed length.
fn join(matchers: &[Matcher]) -> Matcher {
    if let [only] = matchers {
        return only.clone();
    }
    if let Some(glued) = glue(matchers) {
        return glued;
    }
    let mut pivot = None;
    for (index, matcher) in matchers.iter().enumerate() {
        if let Some(len) = matcher.len()
            && pivot.is_none_or(|(_, longest)| len >= longest)
        {
            pivot = Some((index, len));
        }
    }
    let index = pivot.map_or(0, |(index, _)| index);
    let side = |matchers: &[Matcher]| (!matchers.is_empty()).then(|| join(matchers));
    Matcher::tree(
        matchers[index].clone(),
        side(&matchers[..index]),
        side(&matchers[index + 1..]),
    )
}

fn simplify(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::Any(separators) if separators.is_empty() => Matcher::Super,
        Matcher::AnyOf(mut alternatives) if alternatives.len() == 1 => alternatives.remove(0),
        Matcher::List {
            chars,
            negated: false,
        } if chars.len() == 1 => Matcher::text(&chars.iter().collect::<String>()),
        Matcher::Tree(tree) => simplify_tree(*tree),
        other => other,
    }
}

fn simplify_tree(tree: Tree) -> Matcher {
    let left = tree.left.map(simplify);
    let right = tree.right.map(simplify);
    let Matcher::Text { bytes, .. } = &tree.value else {
        return Matcher::Tree(Box::new(Tree {
            left,
            right,
            ..tree
        }));
    };
    let text = bytes.clone();
    match (left, right) {
        (None, None) => tree.value,
        (Some(Matcher::Super), Some(Matcher::Super)) => Matcher::Contains {
            needle: text,
            negated: false,
        },
        (Some(Matcher::Super), None) => Matcher::Suffix(text),
        (None, Some(Matcher::Super)) => Matcher::Prefix(text),
        (None, Some(Matcher::Suffix(suffix))) => Matcher::PrefixSuffix(text, suffix),
        (Some(Matcher::Prefix(prefix)), None) => Matcher::PrefixSuffix(prefix, text),
        (Some(Matcher::Any(separators)), None) => Matcher::SuffixAny(text, separators),
        (None, Some(Matcher::Any(separators))) => Matcher::PrefixAny(text, separators),
        (left, right) => Matcher::Tree(Box::new(Tree {
            left,
            right,
            ..tree
        })),
    }
}
