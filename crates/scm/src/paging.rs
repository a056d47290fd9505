//! How the providers say where a list goes on.

use http::HeaderMap;
use url::Url;

use crate::error::Problem;

/// A page's items and where the next page is.
pub(crate) type Turn<T> = Result<(Vec<T>, Option<Url>), Problem>;

/// The address with a parameter of its query set anew.
pub(crate) fn with(url: &Url, name: &str, value: &str) -> Url {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let mut url = url.clone();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(name, value);
    url
}

/// GitHub and Gitea: the `Link` header names the next page. Only its number is taken from there.
pub(crate) fn by_link<T>(items: Vec<T>, headers: &HeaderMap, url: &Url) -> Turn<T> {
    let Some(next) = link(headers, "next") else {
        return Ok((items, None));
    };
    let number = Url::parse(&next).ok().and_then(|next| {
        let mut pairs = next.query_pairs();
        pairs.find_map(|(key, value)| (key == "page").then(|| value.into_owned()))
    });
    match number {
        Some(number) => Ok((items, Some(with(url, "page", &number)))),
        None => Err(Problem::Partial("its next page has no number".to_owned())),
    }
}

/// GitLab: a header holds the number of the next page and is empty on the last one.
pub(crate) fn by_next_page<T>(
    items: Vec<T>,
    headers: &HeaderMap,
    url: &Url,
    page_size: usize,
) -> Turn<T> {
    match headers.get("x-next-page").map(|next| next.to_str()) {
        Some(Ok("")) => Ok((items, None)),
        Some(Ok(next)) => Ok((items, Some(with(url, "page", next)))),
        None if items.len() < page_size => Ok((items, None)),
        None | Some(Err(_)) => Err(Problem::Partial(
            "a full page does not say whether there are more; does a proxy remove X-Next-Page?"
                .to_owned(),
        )),
    }
}

/// The target of a relation in the `Link` headers (RFC 8288).
fn link(headers: &HeaderMap, relation: &str) -> Option<String> {
    let wanted = [format!("rel=\"{relation}\""), format!("rel={relation}")];
    let values = headers.get_all("link").iter();
    values
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| {
            value.split('<').skip(1).find_map(|entry| {
                let (target, parameters) = entry.split_once('>')?;
                let mut parameters = parameters.split([';', ',']).map(str::trim);
                parameters
                    .any(|parameter| wanted.iter().any(|wanted| wanted == parameter))
                    .then(|| target.to_owned())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn of_a_link_only_the_number_counts() {
        let url = Url::parse("https://api.example.com/repos?per_page=100").unwrap();
        let link = r#"<https://evil.example.com/x?page=1>; rel="prev", <https://evil.example.com/x?per_page=100&page=3>; rel="next""#;
        let (_, next) = by_link(vec![()], &headers("link", link), &url).unwrap();
        let wanted = "https://api.example.com/repos?per_page=100&page=3";
        assert_eq!(next.unwrap().as_str(), wanted);
        let last = r#"<https://api.example.com/x?page=1>; rel="first""#;
        assert!(
            by_link(vec![()], &headers("link", last), &url)
                .unwrap()
                .1
                .is_none()
        );
        let cursor = r#"<https://api.example.com/x?after=abc>; rel="next""#;
        assert!(by_link(vec![()], &headers("link", cursor), &url).is_err());
    }

    #[test]
    fn a_full_page_that_does_not_say_how_it_goes_on_is_no_answer() {
        let url = Url::parse("https://gitlab.example.com/x").unwrap();
        let turn =
            |headers: &HeaderMap, size: usize| by_next_page(vec![(); size], headers, &url, 2);
        let next = turn(&headers("x-next-page", "2"), 2).unwrap().1.unwrap();
        assert_eq!(next.query(), Some("page=2"));
        assert!(turn(&headers("x-next-page", ""), 2).unwrap().1.is_none());
        assert!(turn(&HeaderMap::new(), 1).unwrap().1.is_none());
        assert!(turn(&HeaderMap::new(), 2).is_err());
    }
}
