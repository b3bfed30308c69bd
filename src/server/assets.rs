//! Client assets. Their names contain a hash of the contents, so that browsers may cache them forever.
//! The exceptions are the initial script and WASM and the chunk loader, which reference each other:
//! cargo-leptos inserts the references after hashing. These are revalidated by ETag on each load. The
//! names are looked up once, at startup.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::embedded;
use crate::app::AssetPaths;

/// Base name of the assets: `output-name` in `Cargo.toml`.
pub const OUTPUT_NAME: &str = "myproof-registry";
/// Subfolder of the site root, and first segment of the URL path.
pub const PKG_DIR: &str = "pkg";
/// Prefixes of the chunk loader and of the chunk manifest.
const LOADER: &str = "__wasm_split.";
const CHUNKS: &str = "__wasm_split_manifest.";

/// Finds the assets' URL paths, in the binary if they are embedded, else below `site_root`. The error
/// is one line that names the missing file and the folder.
pub fn find(site_root: &Path) -> Result<AssetPaths, String> {
    if let Some(site) = embedded::SITE {
        let prefix = format!("{PKG_DIR}/");
        let paths = (site.paths)();
        let names = paths.iter().filter_map(|path| path.strip_prefix(&*prefix));
        let names: Vec<String> = names.map(str::to_owned).collect();
        let read = |name: &str| {
            let content = (site.read)(&format!("{prefix}{name}"));
            content.ok_or_else(|| "it is missing".to_owned())
        };
        return name_files(&names, read).map_err(|reason| format!("this binary: {reason}"));
    }
    let folder = site_root.join(PKG_DIR);
    let read = |name: &str| {
        let content = fs::read(folder.join(name));
        content.map(Cow::from).map_err(|error| error.to_string())
    };
    name_files(&newest_first(&folder), read).map_err(|reason| {
        format!(
            "LEPTOS_SITE_ROOT: {reason} in {}: build it with `make build`, or set the variable to the folder",
            folder.display()
        )
    })
}

/// Picks the first file of each kind.
fn name_files(
    names: &[String],
    read: impl Fn(&str) -> Result<Cow<'static, [u8]>, String>,
) -> Result<AssetPaths, String> {
    let find = |begin: &str, extension: &str| {
        let found = names.iter().find(|name| {
            let found = Path::new(name).extension();
            name.starts_with(begin) && found.is_some_and(|found| found == extension)
        });
        let missing = || format!("no {begin}*.{extension}");
        found.cloned().ok_or_else(missing)
    };
    let read = |name: &str| read(name).map_err(|error| format!("can't read {name} ({error})"));
    let manifest = find(CHUNKS, "json")?;
    let chunks: HashMap<String, Vec<String>> = serde_json::from_slice(&read(&manifest)?)
        .map_err(|error| format!("can't read {manifest} ({error})"))?;
    let (js, wasm, loader) = (
        find(OUTPUT_NAME, "js")?,
        find(OUTPUT_NAME, "wasm")?,
        find(LOADER, "js")?,
    );
    let mut validators = HashMap::new();
    for name in [&js, &wasm, &loader] {
        let digest = HEXLOWER.encode(&Sha256::digest(read(name)?)[..16]);
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

/// Lists a folder's files, newest first: builds leave older ones behind.
fn newest_first(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let name = entry.file_name().into_string().ok()?;
            Some((modified.unwrap_or(SystemTime::UNIX_EPOCH), name))
        })
        .collect();
    files.sort_by(|one, other| other.cmp(one));
    files.into_iter().map(|(_, name)| name).collect()
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
