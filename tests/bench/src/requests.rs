//! What a kube-apiserver was asked, by its own count.

use std::collections::BTreeMap;

use kube::Client;

/// Requests by verb and resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(BTreeMap<(String, String), u64>);

/// What an API server asks of itself and of others like it, which a hub has no part in.
const OWN: [&str; 6] = [
    "leases",
    "apiservices",
    "flowschemas",
    "prioritylevelconfigurations",
    "ipaddresses",
    "servicecidrs",
];

impl Requests {
    /// Reads the count.
    pub(crate) async fn read(client: &Client) -> anyhow::Result<Self> {
        let request = http::Request::get("/metrics").body(Vec::new())?;
        Ok(Self::parse(&client.request_text(request).await?))
    }

    fn parse(text: &str) -> Self {
        let mut requests = BTreeMap::new();
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("apiserver_request_total{"));
        for (labels, count) in lines.filter_map(|line| line.split_once("} ")) {
            let label = |name: &str| {
                let (_, rest) = labels.split_once(&format!("{name}=\""))?;
                Some(rest.split_once('"')?.0.to_owned())
            };
            let resource = label("resource").unwrap_or_default();
            if resource.is_empty() || OWN.contains(&resource.as_str()) {
                continue;
            }
            let subresource = label("subresource").unwrap_or_default();
            let what = if subresource.is_empty() {
                resource
            } else {
                format!("{resource}/{subresource}")
            };
            let count: f64 = count.trim().parse().unwrap_or_default();
            // Counts are whole numbers in a floating-point format.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "see above"
            )]
            let count = count as u64;
            *requests
                .entry((label("verb").unwrap_or_default(), what))
                .or_default() += count;
        }
        Self(requests)
    }

    /// What came since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let news = self.0.iter().filter_map(|(key, count)| {
            let more = count - before.0.get(key).copied().unwrap_or_default();
            (more > 0).then(|| (key.clone(), more))
        });
        Self(news.collect())
    }

    /// Adds the counts of another server.
    pub(crate) fn add(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(key.clone()).or_default() += count;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// How often objects of a kind were written.
    pub(crate) fn writes_of(&self, resource: &str) -> u64 {
        let written = self.0.iter().filter(|((verb, what), _)| {
            matches!(verb.as_str(), "APPLY" | "PATCH" | "PUT" | "POST")
                && what.split('/').next() == Some(resource)
        });
        written.map(|(_, count)| count).sum()
    }

    /// The counts as one line, the largest first.
    pub(crate) fn line(&self) -> String {
        let mut counts: Vec<_> = self.0.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let shown = counts
            .iter()
            .take(12)
            .map(|((verb, what), count)| format!("{verb} {what} {count}"));
        shown.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_by_verb_and_resource() {
        let text = "# HELP apiserver_request_total x\n\
            apiserver_request_total{code=\"200\",resource=\"pods\",subresource=\"\",verb=\"LIST\"} 2\n\
            apiserver_request_total{code=\"410\",resource=\"pods\",subresource=\"\",verb=\"LIST\"} 1\n\
            apiserver_request_total{code=\"200\",resource=\"pods\",subresource=\"status\",verb=\"PATCH\"} 4\n\
            apiserver_request_total{code=\"200\",resource=\"\",subresource=\"\",verb=\"GET\"} 9\n";
        let requests = Requests::parse(text);
        assert_eq!(requests.total(), 7);
        assert_eq!(requests.writes_of("pods"), 4);
        assert_eq!(requests.line(), "PATCH pods/status 4, LIST pods 3");
    }
}
