//! The browser's files: their names carry a hash of their contents, so that browsers may keep them
//! for ever. The names are found once, at the start, in the site's folder itself: a deployed
//! server needs that folder and nothing else.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::app::AssetPaths;

/// The name that cargo-leptos gives the files: `output-name` in `Cargo.toml`.
pub const OUTPUT_NAME: &str = "myproof-registry";
/// Where they lie below the site's folder, and their path's first part.
pub const PKG_DIR: &str = "pkg";

/// Finds the browser's files below `site_root`, as URL paths.
///
/// # Errors
/// Which file is missing where, in one line.
pub fn find(site_root: &Path) -> Result<AssetPaths, String> {
    let folder = site_root.join(PKG_DIR);
    let find = |extension: &str| {
        newest(&folder, extension).ok_or_else(|| {
            format!(
                "LEPTOS_SITE_ROOT: no {OUTPUT_NAME}*.{extension} in {}: build it with `make build`, or set the variable to the folder",
                folder.display()
            )
        })
    };
    Ok(AssetPaths {
        css: find("css")?,
        js: find("js")?,
        wasm: find("wasm")?,
    })
}

/// The path of the newest file of this kind: builds leave older ones beside it.
fn newest(folder: &Path, extension: &str) -> Option<String> {
    let is_ours = |path: &PathBuf| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with(OUTPUT_NAME) && path.extension().is_some_and(|found| found == extension)
    };
    let modified = |path: &PathBuf| {
        path.metadata()
            .and_then(|metadata| metadata.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let path = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_ours)
        .max_by_key(modified)?;
    Some(format!("/{PKG_DIR}/{}", path.file_name()?.to_str()?))
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
