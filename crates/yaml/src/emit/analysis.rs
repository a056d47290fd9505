//! Says which styles can hold a text. Never says which one is nicest.

use crate::cursor::{is_blank, is_blank_or_end, is_break};

pub(super) struct Analysis {
    /// Without quotes, outside flow collections.
    pub(super) plain_allowed: bool,
    pub(super) single_allowed: bool,
    /// As a literal block.
    pub(super) block_allowed: bool,
}

impl Analysis {
    pub(super) fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let follows = |first: fn(char) -> bool, second: fn(char) -> bool| {
            chars
                .windows(2)
                .any(|pair| first(pair[0]) && second(pair[1]))
        };
        let is_space = |c: char| c == ' ';
        let ends = [chars.first(), chars.last()];
        let edge = ends
            .into_iter()
            .flatten()
            .any(|&c| is_space(c) || is_break(c));
        let break_space = follows(is_break, is_space);
        let special = follows(is_space, is_break) || chars.iter().any(|&c| !is_printable(c));
        let breaks = chars.iter().any(|&c| is_break(c));
        Self {
            plain_allowed: !(edge || break_space || special || breaks || has_indicator(&chars)),
            single_allowed: !(break_space || special),
            block_allowed: !(chars.is_empty() || special || chars.last() == Some(&' ')),
        }
    }
}

/// Whether the text has something that means more than itself where it stands.
fn has_indicator(chars: &[char]) -> bool {
    if matches!(chars, ['-', '-', '-', ..] | ['.', '.', '.', ..]) {
        return true;
    }
    chars.iter().enumerate().any(|(index, &c)| {
        let before_white = chars.get(index + 1).is_none_or(|&next| is_blank(next));
        let after_white = index == 0 || is_blank_or_end(chars[index - 1]);
        match c {
            '#' => after_white,
            ':' => before_white,
            '?' | '-' => index == 0 && before_white,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`' => index == 0,
            _ => false,
        }
    })
}

/// Whether a character can stand as itself. Tabs cannot, nor characters beyond the basic plane.
pub(super) fn is_printable(c: char) -> bool {
    c != '\u{feff}'
        && matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
}
