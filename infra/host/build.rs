//! Generates the host's bindings of Spin's interfaces. Their WIT stands in the spin-sdk crate that the
//! functions are built with; it is read from there, so that the two can never drift apart.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

fn main() -> Result<()> {
    let sdk = spin_sdk_folder().context("finding the spin-sdk crate of this workspace")?;
    let wit = sdk.join("wit");
    ensure!(wit.is_dir(), "{} holds no WIT", sdk.display());
    let source = format!(
        r##"wasmtime::component::bindgen!({{
    inline: r#"
        package linli:host;
        world imports {{
            import spin:key-value/key-value@3.0.0;
            import spin:mqtt/mqtt@3.0.0;
            import spin:postgres/postgres@4.2.0;
            import spin:sqlite/sqlite@3.1.0;
            import spin:variables/variables@3.0.0;
        }}
    "#,
    path: {wit:?},
    world: "linli:host/imports",
    imports: {{ default: async | trappable }},
}});
"##
    );
    let out = PathBuf::from(env::var("OUT_DIR")?).join("spin_bindings.rs");
    fs::write(out, source)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    Ok(())
}

fn spin_sdk_folder() -> Result<PathBuf> {
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .context("running cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .and_then(|packages| {
            packages
                .iter()
                .find(|package| package["name"] == "spin-sdk")
        })
        .and_then(|package| package["manifest_path"].as_str())
        .context("cargo metadata names no spin-sdk")?;
    Ok(PathBuf::from(manifest)
        .parent()
        .context("a manifest has a folder")?
        .to_owned())
}
