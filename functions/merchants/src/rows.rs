//! What is kept and shown as JSON: an applicant's content, a shop's profile, kinds of papers.

use serde_json::{Value, json};

use crate::domain::{Content, Name, Note, Profile, QualificationKind};

/// What an applicant wrote.
pub(crate) fn content_json(content: &Content) -> Value {
    json!({
        "company": content.company.as_str(),
        "credit_code": content.credit_code.as_str(),
        "shop": content.shop.as_str(),
        "contact": content.contact.as_str(),
        "address": content.address.as_ref().map(Note::as_str),
        "community": content.community,
        "mode": content.mode,
        "categories": content.categories,
        "note": content.note.as_ref().map(Note::as_str),
    })
}

/// What buyers read of a shop.
pub(crate) fn profile_json(profile: &Profile) -> Value {
    let hours = profile.hours.iter().map(|hours| {
        json!({
            "weekday": hours.weekday,
            "from_minute": hours.from_minute,
            "until_minute": hours.until_minute,
        })
    });
    let delivery = profile
        .delivery
        .iter()
        .map(|way| json!({"way": way.way.as_str(), "note": way.note.as_ref().map(Note::as_str)}));
    let pictures = profile.pictures.iter().map(|digest| digest.as_str());
    json!({
        "name": profile.name.as_str(),
        "description": profile.description.as_ref().map(|text| text.as_str()),
        "phone": profile.phone.as_ref().map(Note::as_str),
        "hours": hours.collect::<Vec<_>>(),
        "communities": profile.communities,
        "delivery": delivery.collect::<Vec<_>>(),
        "return_address": profile.return_address.as_ref().map(Note::as_str),
        "pictures": pictures.collect::<Vec<_>>(),
    })
}

/// Kinds of papers.
pub(crate) fn kinds_json(kinds: &[QualificationKind]) -> Value {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

/// The profile of a shop that nobody has edited yet.
pub(crate) fn first_profile(content: &Content) -> Profile {
    let name: Name = content.shop.clone();
    Profile {
        name,
        description: None,
        phone: None,
        hours: Vec::new(),
        communities: vec![content.community.clone()],
        delivery: Vec::new(),
        return_address: None,
        pictures: Vec::new(),
    }
}
