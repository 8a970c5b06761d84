//! Telephone numbers in events: as digests, so that two capabilities can tell that they mean the same number and the
//! log holds no number.

use kernel::{Phone, TenantId};

use crate::Secret;

/// A number under the deployment's secret: 64 hexadecimal digits, another in each tenant.
///
/// # Errors
/// Never in practice: HMAC takes keys of any length.
pub fn phone_digest(secret: &Secret, tenant: &TenantId, phone: &Phone) -> anyhow::Result<String> {
    let message = format!("phone/{tenant}/{}", phone.as_str());
    let mac = secret
        .sign(message.as_bytes())
        .ok_or_else(|| anyhow::anyhow!("the secret makes no key"))?;
    Ok(mac.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_numbers_tenants_and_deployments_apart() {
        let digest = |secret: &str, tenant: &str, phone: &str| {
            phone_digest(
                &Secret::new("token_secret", secret.repeat(32)).unwrap(),
                &TenantId::parse(tenant).unwrap(),
                &Phone::parse(phone).unwrap(),
            )
            .unwrap()
        };
        let one = digest("s", "demo", "13800138000");
        assert_eq!(one.len(), 64);
        assert_eq!(one, digest("s", "demo", "+86 138 0013 8000"));
        assert_ne!(one, digest("s", "demo", "13800138001"));
        assert_ne!(one, digest("s", "other", "13800138000"));
        assert_ne!(one, digest("t", "demo", "13800138000"));
    }
}
