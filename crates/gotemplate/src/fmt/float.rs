//! strconv's `FormatFloat`.

/// The decimal digits of a finite, positive number and where the point stands: 0.DIGITS × 10^point.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

/// Digits with `precision` of them after the first; the fewest that read back equally without one.
fn digits(f: f64, precision: Option<usize>) -> Digits {
    let text = match precision {
        Some(p) => format!("{f:.p$e}"),
        None => format!("{f:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    if digits == b"0" {
        return Digits {
            digits: Vec::new(),
            point: 0,
        };
    }
    Digits {
        digits,
        point: exponent + 1,
    }
}

/// `%e` with `precision` digits after the point.
fn exponent_form(d: &Digits, precision: usize, e: char) -> String {
    let digit = |i: usize| char::from(d.digits.get(i).copied().unwrap_or(b'0'));
    let mut out = String::new();
    out.push(digit(0));
    if precision > 0 {
        out.push('.');
        out.extend((1..=precision).map(digit));
    }
    let exponent = if d.digits.is_empty() { 0 } else { d.point - 1 };
    let sign = if exponent < 0 { '-' } else { '+' };
    out.push_str(&format!("{e}{sign}{:02}", exponent.abs()));
    out
}

/// `%f` with `precision` digits after the point, of digits that need no rounding.
fn plain_form(d: &Digits, precision: usize) -> String {
    let digit = |i: i32| {
        usize::try_from(i)
            .ok()
            .and_then(|i| d.digits.get(i))
            .map_or('0', |b| char::from(*b))
    };
    let mut out: String = if d.point > 0 {
        (0..d.point).map(digit).collect()
    } else {
        "0".to_owned()
    };
    if precision > 0 {
        out.push('.');
        let places = i32::try_from(precision).unwrap_or(i32::MAX);
        out.extend((0..places).map(|i| digit(d.point + i)));
    }
    out
}

/// `%g`: exponents for what is very large or very small.
fn general(f: f64, precision: Option<usize>, e: char) -> String {
    let d = digits(f, precision.map(|p| p.max(1) - 1));
    let count = i32::try_from(d.digits.len()).unwrap_or(i32::MAX);
    let limit = match precision {
        None => 6,
        Some(p) => {
            let p = i32::try_from(p.max(1)).unwrap_or(i32::MAX);
            if p > count && count >= d.point {
                count
            } else {
                p
            }
        }
    };
    let exponent = d.point - 1;
    if !d.digits.is_empty() && (exponent < -4 || exponent >= limit) {
        return exponent_form(&d, d.digits.len().saturating_sub(1), e);
    }
    plain_form(&d, usize::try_from(count - d.point).unwrap_or(0))
}

/// The unsigned text of a float under a verb (`e E f F g G b x X`), without padding; `None` as precision means the fewest digits.
pub(super) fn format(f: f64, verb: char, precision: Option<usize>) -> String {
    if f.is_nan() {
        return "NaN".to_owned();
    }
    if f.is_infinite() {
        return "Inf".to_owned();
    }
    let f = f.abs();
    match verb {
        'e' | 'E' => {
            let d = digits(f, precision);
            let places = precision.unwrap_or(d.digits.len().saturating_sub(1));
            exponent_form(&d, places, verb)
        }
        'f' | 'F' => {
            if let Some(p) = precision {
                format!("{f:.p$}")
            } else {
                let d = digits(f, None);
                let places = i32::try_from(d.digits.len()).unwrap_or(i32::MAX) - d.point;
                plain_form(&d, usize::try_from(places).unwrap_or(0))
            }
        }
        'G' => general(f, precision, 'E'),
        'b' => binary(f),
        'x' => hexadecimal(f, precision),
        'X' => hexadecimal(f, precision).to_uppercase(),
        _ => general(f, precision, 'e'),
    }
}

/// The fewest digits that read back equally, as `%v` prints them.
pub(crate) fn shortest(f: f64) -> String {
    let sign = if f.is_sign_negative() && !f.is_nan() {
        "-"
    } else {
        ""
    };
    let plus = if f == f64::INFINITY { "+" } else { "" };
    format!("{sign}{plus}{}", format(f, 'g', None))
}

/// `precision` digits after the point.
pub(crate) fn fixed(f: f64, precision: Option<usize>) -> String {
    let sign = if f.is_sign_negative() { "-" } else { "" };
    format!("{sign}{}", format(f, 'f', precision))
}

/// Mantissa and binary exponent of a positive number: mantissa × 2^exponent.
fn parts(f: f64) -> (u64, i32) {
    let bits = f.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    }
}

fn binary(f: f64) -> String {
    let (mantissa, exponent) = parts(f);
    format!("{mantissa}p{exponent:+}")
}

fn hexadecimal(f: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = parts(f);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading one stands at bit 60, fifteen hexadecimal digits follow it.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - i32::try_from(shift).unwrap_or(0);
    }
    if let Some(p) = precision.filter(|p| *p < 15) {
        let shift = u32::try_from(p * 4).unwrap_or(0);
        let kept = 60 - shift;
        let extra = mantissa & ((1 << kept) - 1);
        mantissa >>= kept;
        let half = 1 << (kept - 1);
        if extra > half || extra == half && mantissa & 1 == 1 {
            mantissa += 1;
        }
        mantissa <<= kept;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let fraction = match precision {
        Some(p) => format!("{fraction:0<p$}")
            .get(..p)
            .unwrap_or_default()
            .to_owned(),
        None => fraction.trim_end_matches('0').to_owned(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "0x{}{point}{fraction}p{sign}{:02}",
        mantissa >> 60,
        exponent.abs()
    )
}
