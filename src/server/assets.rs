//! The browser's files. Their names carry a hash of their contents, so that browsers may keep them for
//! ever; but not of the script and the WASM that are loaded first, nor of the loader, which name each
//! other: cargo-leptos writes the names into them after it has given them theirs. These are asked for
//! again each time, by a validator. The names are found once, at the start, in the site's folder itself: a deployed
//! server needs that folder and nothing else.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::app::AssetPaths;

/// The name that cargo-leptos gives the files: `output-name` in `Cargo.toml`.
pub const OUTPUT_NAME: &str = "myproof-registry";
/// Where they lie below the site's folder, and their path's first part.
pub const PKG_DIR: &str = "pkg";
/// The script that loads the WASM files that come later, and what those are.
const LOADER: &str = "__wasm_split.";
const CHUNKS: &str = "__wasm_split_manifest.";

/// Finds the browser's files below `site_root`, as URL paths.
///
/// # Errors
/// Which file is missing where, in one line.
pub fn find(site_root: &Path) -> Result<AssetPaths, String> {
    let folder = site_root.join(PKG_DIR);
    let find = |name: &str, extension: &str| {
        newest(&folder, name, extension).ok_or_else(|| {
            format!(
                "LEPTOS_SITE_ROOT: no {name}*.{extension} in {}: build it with `make build`, or set the variable to the folder",
                folder.display()
            )
        })
    };
    let chunks = find(CHUNKS, "json")?;
    let chunks: HashMap<String, Vec<String>> = fs::read(folder.join(&chunks))
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()))
        .map_err(|error| {
            format!(
                "LEPTOS_SITE_ROOT: can't read {chunks} in {}: {error}",
                folder.display()
            )
        })?;
    let (js, wasm, loader) = (
        find(OUTPUT_NAME, "js")?,
        find(OUTPUT_NAME, "wasm")?,
        find(LOADER, "js")?,
    );
    let mut validators = HashMap::new();
    for name in [&js, &wasm, &loader] {
        let content = fs::read(folder.join(name)).map_err(|error| {
            format!(
                "LEPTOS_SITE_ROOT: can't read {name} in {}: {error}",
                folder.display()
            )
        })?;
        let digest = HEXLOWER.encode(&Sha256::digest(&content)[..16]);
        validators.insert(name.clone(), format!("\"{digest}\""));
    }
    let path = |name: String| format!("/{PKG_DIR}/{name}");
    Ok(AssetPaths {
        css: path(find(OUTPUT_NAME, "css")?),
        js: path(js),
        wasm: path(wasm),
        loader: path(loader),
        chunks,
        validators,
    })
}

/// The name of the newest file of this kind: builds leave older ones beside it.
fn newest(folder: &Path, begin: &str, extension: &str) -> Option<String> {
    let is_it = |path: &PathBuf| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with(begin) && path.extension().is_some_and(|found| found == extension)
    };
    let modified = |path: &PathBuf| {
        path.metadata()
            .and_then(|metadata| metadata.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let path = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_it)
        .max_by_key(modified)?;
    Some(path.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_one_clear_line() {
        let error = find(Path::new("/nonexistent")).unwrap_err();
        assert!(
            error.contains("LEPTOS_SITE_ROOT") && !error.contains('\n'),
            "{error}"
        );
    }
}
