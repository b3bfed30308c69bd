//! Builds anew when a migration is added: `sqlx::migrate!` sees changes of files it knows alone.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
