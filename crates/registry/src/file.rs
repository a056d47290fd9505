//! A plain file behind a URL.

use bytes::Bytes;
use http::header;
use url::Url;

use crate::{
    Credentials, Error, Transport,
    exchange::{expect, get, shown},
};

/// The file at `url`, of `limit` bytes at most.
pub async fn file<T: Transport>(
    transport: &mut T,
    url: &str,
    credentials: &Credentials,
    limit: u64,
) -> Result<Bytes, Error> {
    let url = Url::parse(url).map_err(|error| Error::Url {
        url: url.to_owned(),
        why: error.to_string(),
    })?;
    let authorization = credentials.header(&shown(&url))?;
    let headers = authorization.map(|value| (header::AUTHORIZATION, value));
    let answer = get(transport, &url, headers, limit).await?;
    Ok(expect(&url, answer)?.into_body())
}
