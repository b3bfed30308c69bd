//! Builds anew when a migration is added, or a file of the embedded site: the macros that read them see
//! changes of files they know alone.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    if std::env::var_os("CARGO_FEATURE_EMBED_SITE").is_some() {
        println!("cargo::rerun-if-changed=target/site");
    }
}
