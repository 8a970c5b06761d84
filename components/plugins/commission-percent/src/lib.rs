//! A share of what was paid: the plugin `linli:settlement/commission`. How it is computed stands in
//! `components/shared/commission`.

#[cfg(target_family = "wasm")]
mod plugin;
