//! JSON as Go writes it: an empty list or map may be `null`.

use serde::{Deserialize, Deserializer};

/// `null` as the empty value.
pub(super) fn or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
