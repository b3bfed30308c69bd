//! Server-sent events.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

type Listener = Closure<dyn FnMut()>;

/// An open event stream; dropping it closes the stream.
pub struct Events {
    source: web_sys::EventSource,
    _listeners: [Listener; 3],
}

impl Events {
    /// Opens the stream at `url`. `on_error` gets true if the browser gave up, as it does when the
    /// server answers with something else than events. No callback may drop the stream.
    pub fn open(
        url: &str,
        on_change: impl Fn() + 'static,
        on_open: impl Fn() + 'static,
        on_error: impl Fn(bool) + 'static,
    ) -> Option<Self> {
        let source = web_sys::EventSource::new(url).ok()?;
        let changed = Listener::new(on_change);
        let opened = Listener::new(on_open);
        let failed = Listener::new({
            let source = source.clone();
            move || on_error(source.ready_state() == web_sys::EventSource::CLOSED)
        });
        source
            .add_event_listener_with_callback("changed", changed.as_ref().unchecked_ref())
            .ok()?;
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        Some(Self {
            source,
            _listeners: [changed, opened, failed],
        })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}
