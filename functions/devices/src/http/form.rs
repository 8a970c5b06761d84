//! What several routes read and show: texts and devices.

use kernel::{CommunityId, DeviceId};
use serde::{Deserialize, Serialize};
use wire::DeviceKind;

use crate::domain::{Device, Name};

/// A field of the body that is text on the wire and a type of the domain behind it.
#[derive(Deserialize)]
#[serde(
    try_from = "String",
    bound = "T: TryFrom<String>, T::Error: std::fmt::Display"
)]
pub(super) struct Text<T>(pub(super) T);

impl<T: TryFrom<String>> TryFrom<String> for Text<T> {
    type Error = T::Error;
    fn try_from(text: String) -> Result<Self, T::Error> {
        T::try_from(text).map(Self)
    }
}

/// A device.
#[derive(Serialize)]
pub(super) struct ShownDevice {
    id: DeviceId,
    kind: DeviceKind,
    community: Option<CommunityId>,
    name: Option<String>,
    model: Option<String>,
    location: Option<String>,
    gateway: Option<DeviceId>,
    reachable: Option<bool>,
    version: i64,
}

impl From<Device> for ShownDevice {
    fn from(device: Device) -> Self {
        let said = device.description;
        let text = |name: &Name| name.as_str().to_owned();
        Self {
            id: device.id,
            kind: device.kind,
            community: said.as_ref().map(|said| said.community.clone()),
            name: said.as_ref().map(|said| text(&said.name)),
            model: said.as_ref().and_then(|said| said.model.as_ref()).map(text),
            location: said
                .as_ref()
                .and_then(|said| said.location.as_ref())
                .map(text),
            gateway: device.gateway,
            reachable: device.reachable,
            version: device.version,
        }
    }
}
