//! nginx with two workers that looks raw tokens up in a `map`, without hashing.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A running nginx.
pub struct Nginx {
    child: Child,
    pub url: String,
}

impl Nginx {
    /// Starts an nginx that accepts these tokens.
    pub fn start(folder: &Path, tokens: &[String]) -> Self {
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let mut known = String::new();
        for token in tokens {
            writeln!(known, "\"{token}\" 1;").unwrap();
        }
        let path = folder.display();
        let configuration = format!(
            "daemon off; worker_processes 2; pid {path}/pid; error_log {path}/error.log;
             events {{ worker_connections 256; }}
             http {{ access_log off; map_hash_max_size 8192; map_hash_bucket_size 256; keepalive_requests 100000000;
                 client_body_temp_path {path}/1; proxy_temp_path {path}/2; fastcgi_temp_path {path}/3;
                 uwsgi_temp_path {path}/4; scgi_temp_path {path}/5;
                 map $http_x_api_key $known {{ default 0; {known} }}
                 server {{ listen 127.0.0.1:{port};
                     location / {{ if ($known = 0) {{ return 401; }} return 200; }} }} }}"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed by scripts/setup.sh nginx");
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed().as_secs() < 10, "nginx does not start");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self {
            child,
            url: format!("http://127.0.0.1:{port}/"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // On SIGTERM the master also stops its workers.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}
