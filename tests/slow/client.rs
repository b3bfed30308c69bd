//! A client of HTTP/1.1 that keeps its connection, as far as the slow tests need one.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Far longer than any answer takes: a missing one fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer's status, its body, and its Retry-After in seconds.
pub type Answer = (u16, String, Option<u32>);

pub struct Client {
    address: String,
    connection: Option<TcpStream>,
}

impl Client {
    /// A client that connects when it is first used.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            connection: None,
        }
    }

    /// Sends a request and reads the answer to its end. An empty token or body is left out.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let request = self.request(method, path, token, body);
        // The server may close a connection on which nothing is under way. Nobody knows whether an
        // order was carried out that met with that, so only a question is asked again.
        let may_repeat = self.connection.is_some() && method == "GET";
        let mut answer = self.attempt(method, &request)?;
        if answer.is_none() && may_repeat {
            answer = self.attempt(method, &request)?;
        }
        answer.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    fn request(&self, method: &str, path: &str, token: &str, body: &str) -> String {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if !token.is_empty() {
            request.push_str(&format!("X-API-Key: {token}\r\n"));
        }
        if !body.is_empty() {
            request.push_str("Content-Type: application/json\r\n");
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        request
    }

    /// One attempt; `None` where the server closed the connection without a word. A connection on
    /// which anything went wrong is not used again.
    fn attempt(&mut self, method: &str, request: &str) -> io::Result<Option<Answer>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.address)?,
        };
        let sent = connection.write_all(request.as_bytes());
        match sent.and_then(|()| read_head(&mut connection)) {
            Ok(Some((head, rest))) => {
                let body = read_body(&mut connection, method, &head, rest)?;
                let closes =
                    header(&head, "connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
                self.connection = (!closes).then_some(connection);
                let retry_after =
                    header(&head, "retry-after").and_then(|seconds| seconds.parse().ok());
                Ok(Some((status(&head)?, body, retry_after)))
            }
            Ok(None) => Ok(None),
            Err(error) if is_closed(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(address)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    Ok(connection)
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    )
}

/// The head of an answer, and what came with it; `None` where nothing came.
fn read_head(connection: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if read_more(connection, &mut bytes)? == 0 {
            return if bytes.is_empty() {
                Ok(None)
            } else {
                Err(broken("a head that breaks off"))
            };
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok(Some((text(bytes)?, rest)));
        }
    }
}

fn read_body(
    connection: &mut TcpStream,
    method: &str,
    head: &str,
    mut body: Vec<u8>,
) -> io::Result<String> {
    let length: usize = if method == "HEAD" || status(head)? == 204 {
        0
    } else {
        let stated = header(head, "content-length").and_then(|length| length.parse().ok());
        stated.ok_or_else(|| broken("a body without a length"))?
    };
    while body.len() < length {
        if read_more(connection, &mut body)? == 0 {
            return Err(broken("a body that breaks off"));
        }
    }
    if body.len() > length {
        return Err(broken("more than was announced"));
    }
    text(body)
}

/// How many bytes more there are now; none at the end.
fn read_more(connection: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut part = [0; 16_384];
    let read = connection.read(&mut part)?;
    bytes.extend_from_slice(&part[..read]);
    Ok(read)
}

fn status(head: &str) -> io::Result<u16> {
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| broken("a head without a status"))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| broken("bytes that are no text"))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
