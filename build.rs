//! Rebuilds when a migration or a file of the embedded site is added: the macros that read them only notice
//! changes of files that they already know.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    if std::env::var_os("CARGO_FEATURE_EMBED_SITE").is_some() {
        println!("cargo::rerun-if-changed=target/site");
    }
}
