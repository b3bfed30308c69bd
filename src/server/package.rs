//! The browser's files inside the program's own file: `make dist` appends them as a tar archive, and a program
//! that has them needs no folder beside it. Behind the archive stand its length and a mark; whatever
//! reads the program as a program stops long before.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

/// The last bytes of a program with files in it.
const MARK: &[u8; 16] = b"myproof-packed-1";
/// The archive's length stands before the mark, in eight bytes.
const END: u64 = 8 + MARK.len() as u64;
/// Where the files are while one works on the program, unless something else is said.
const DEVELOPMENT: &str = "target/site";

/// The folder with the browser's files. One that was unpacked goes with it.
#[derive(Debug)]
pub struct SiteFolder {
    path: PathBuf,
    /// Of one that was unpacked: whatever ages temporary files leaves what is locked alone
    /// (systemd-tmpfiles(8)).
    unpacked: Option<File>,
}

impl SiteFolder {
    /// The folder that is configured, else what this program holds, else where builds leave it. `name`
    /// makes the name of an unpacked one that nobody can have taken before.
    ///
    /// # Errors
    /// Why the files could not be unpacked, in one line.
    pub fn find(configured: Option<PathBuf>, name: [u8; 16]) -> Result<Self, String> {
        if let Some(path) = configured {
            return Ok(Self::at(path));
        }
        let program = std::env::current_exe().and_then(File::open);
        let mut program = program.map_err(|error| {
            format!("the program's own file can't be read: {error}; set LEPTOS_SITE_ROOT")
        })?;
        let told = |error: io::Error| {
            format!(
                "the browser's files can't be unpacked into {}: {error}; make room there, point TMPDIR elsewhere, or set LEPTOS_SITE_ROOT",
                std::env::temp_dir().display()
            )
        };
        let Some((begin, length)) = archive(&mut program).map_err(told)? else {
            return Ok(Self::at(DEVELOPMENT.into()));
        };
        let path = std::env::temp_dir().join(format!("myproof-site-{}", HEXLOWER.encode(&name)));
        // Nobody else's, and none that was there: what lies in it is served.
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(told)?;
        let lock = File::open(&path).map_err(told)?;
        lock.lock_shared().map_err(told)?;
        let folder = Self {
            path,
            unpacked: Some(lock),
        };
        program.seek(SeekFrom::Start(begin)).map_err(told)?;
        tar::Archive::new(program.take(length))
            .unpack(&folder.path)
            .map_err(told)?;
        Ok(folder)
    }

    fn at(path: PathBuf) -> Self {
        Self {
            path,
            unpacked: None,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SiteFolder {
    fn drop(&mut self) {
        if self.unpacked.is_some()
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(folder = %self.path.display(), %error, "the unpacked files of the browser are left behind");
        }
    }
}

/// Writes a copy of a program that holds the files of a folder.
///
/// # Errors
/// Those of reading and writing.
pub fn pack(program: &Path, site: &Path, output: &Path) -> io::Result<()> {
    let mut source = File::open(program)?;
    // One that holds files already gets others.
    let length = match archive(&mut source)? {
        Some((begin, _)) => begin,
        None => source.metadata()?.len(),
    };
    source.seek(SeekFrom::Start(0))?;
    let mut packed = File::create(output)?;
    io::copy(&mut source.take(length), &mut packed)?;
    let mut archive = tar::Builder::new(&packed);
    // The same files make the same archive, whoever packs them and when.
    archive.mode(tar::HeaderMode::Deterministic);
    let mut files = files(site, Path::new(""))?;
    files.sort();
    for file in files {
        archive.append_path_with_name(site.join(&file), &file)?;
    }
    archive.finish()?;
    drop(archive);
    let end = packed.stream_position()?;
    packed.write_all(&(end - length).to_le_bytes())?;
    packed.write_all(MARK)?;
    packed.set_permissions(fs::Permissions::from_mode(0o755))?;
    packed.sync_all()
}

/// The files below a folder, by their path in it.
fn files(root: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            found.extend(files(root, &path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Where the archive begins in a program's file, and how long it is.
fn archive(program: &mut File) -> io::Result<Option<(u64, u64)>> {
    let whole = program.metadata()?.len();
    let Some(begin_of_end) = whole.checked_sub(END) else {
        return Ok(None);
    };
    program.seek(SeekFrom::Start(begin_of_end))?;
    let mut length = [0; 8];
    let mut mark = [0; MARK.len()];
    program.read_exact(&mut length)?;
    program.read_exact(&mut mark)?;
    let length = u64::from_le_bytes(length);
    let begin = begin_of_end.checked_sub(length);
    Ok(begin.filter(|_| &mark == MARK).map(|begin| (begin, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("myproof-package-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("site/pkg")).unwrap();
        folder
    }

    #[test]
    fn what_is_packed_twice_is_the_same_and_holds_the_newest_files() {
        let folder = scratch("twice");
        let (program, site) = (folder.join("program"), folder.join("site"));
        fs::write(&program, b"\x7fELF and more").unwrap();
        fs::write(site.join("pkg/a.css"), "old").unwrap();
        fs::write(site.join("robots.txt"), "x").unwrap();
        let (once, twice) = (folder.join("once"), folder.join("twice"));
        pack(&program, &site, &once).unwrap();
        fs::write(site.join("pkg/a.css"), "new").unwrap();
        pack(&once, &site, &twice).unwrap();
        pack(&program, &site, &once).unwrap();
        let packed = fs::read(&twice).unwrap();
        assert_eq!(packed, fs::read(&once).unwrap());
        assert!(packed.starts_with(b"\x7fELF and more"));
        let mut file = File::open(&twice).unwrap();
        let (begin, length) = archive(&mut file).unwrap().unwrap();
        assert_eq!(begin, 13);
        file.seek(SeekFrom::Start(begin)).unwrap();
        let unpacked = folder.join("unpacked");
        tar::Archive::new(file.take(length))
            .unpack(&unpacked)
            .unwrap();
        assert_eq!(
            fs::read_to_string(unpacked.join("pkg/a.css")).unwrap(),
            "new"
        );
        assert_eq!(
            fs::read_to_string(unpacked.join("robots.txt")).unwrap(),
            "x"
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_program_without_files_or_with_half_a_mark_has_none() {
        let folder = scratch("none");
        let program = folder.join("program");
        for content in [
            &b""[..],
            b"short",
            b"a program that is long enough to have an end",
            &[255; 24],
            MARK,
        ] {
            fs::write(&program, content).unwrap();
            assert_eq!(archive(&mut File::open(&program).unwrap()).unwrap(), None);
        }
        // A length that reaches before the file's beginning.
        let beyond = [&100_u64.to_le_bytes()[..], MARK].concat();
        fs::write(&program, beyond).unwrap();
        assert_eq!(archive(&mut File::open(&program).unwrap()).unwrap(), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
