//! Prints the bundled table of kinds from the OpenAPI v3 documents of a Kubernetes release:
//! `cargo run -p argosy-engine --example schema_table -- FOLDER > crates/engine/src/schema/kubernetes.txt`

use argosy_engine::schema::{Schema, print, read_openapi};

#[expect(clippy::print_stdout, reason = "its output is the table")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("name the folder of OpenAPI v3 documents")?;
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|one| one.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let mut schema = Schema::default();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.contains("alpha") || name.contains("internal") || !name.contains("__v") {
            continue;
        }
        read_openapi(
            &serde_json::from_str(&std::fs::read_to_string(path)?)?,
            &mut schema,
        );
    }
    println!(
        "# Kubernetes' own kinds, from its published OpenAPI v3 documents; see examples/schema_table.rs."
    );
    print!("{}", print(&schema));
    Ok(())
}
