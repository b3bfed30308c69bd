//! What the components ask of the browser itself. On the server, where no effect and no event
//! handler runs, these do nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use leptos::html::Dialog;
use leptos::prelude::*;

/// Opens a dialog above everything else, as soon as it stands in the page.
pub fn show_modal(dialog: NodeRef<Dialog>) {
    #[cfg(feature = "hydrate")]
    {
        let show = move || {
            if let Some(dialog) = dialog.try_get_untracked().flatten() {
                // Fails only for a dialog that is open already.
                let _ = dialog.show_modal();
            }
        };
        // One that waited for its file is made before it is put there.
        match dialog.get_untracked() {
            Some(dialog) if !dialog.is_connected() => set_timeout(show, Duration::ZERO),
            _ => show(),
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = dialog;
}

/// Puts text on the clipboard; whether that worked.
pub async fn copy_text(text: String) -> bool {
    #[cfg(feature = "hydrate")]
    {
        let Some(navigator) = web_sys::window().map(|window| window.navigator()) else {
            return false;
        };
        // Outside secure contexts there is none, whatever the type says.
        let clipboard = navigator.clipboard();
        if clipboard.is_undefined() {
            return false;
        }
        wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&text))
            .await
            .is_ok()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = text;
        false
    }
}

/// Has the browser save text as a file. The text is in the browser's memory alone, and let go of
/// once the file is being written.
pub fn save_file(name: &str, kind: &str, text: &str) {
    #[cfg(feature = "hydrate")]
    {
        use web_sys::wasm_bindgen::{JsCast, JsValue};

        let parts = js_sys::Array::of1(&JsValue::from_str(text));
        let options = web_sys::BlobPropertyBag::new();
        options.set_type(kind);
        let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options);
        let Ok(url) = blob.and_then(|blob| web_sys::Url::create_object_url_with_blob(&blob)) else {
            return;
        };
        let link = document().create_element("a").ok();
        if let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok())
        {
            link.set_href(&url);
            link.set_download(name);
            link.click();
        }
        let release = move || {
            let _ = web_sys::Url::revoke_object_url(&url);
        };
        set_timeout(release, Duration::from_secs(1));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, kind, text);
}

/// Whether the field with this id holds a number or a date that is not finished. Such a field reads
/// as empty, and must not be taken for that.
#[must_use]
pub fn is_unfinished(id: &str) -> bool {
    #[cfg(feature = "hydrate")]
    {
        use web_sys::wasm_bindgen::JsCast;

        document()
            .get_element_by_id(id)
            .and_then(|element| element.dyn_into::<web_sys::HtmlInputElement>().ok())
            .is_some_and(|field| field.validity().bad_input())
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = id;
        false
    }
}

/// The browser's clock in milliseconds: for distances alone, since it may show any time.
#[must_use]
pub fn millis() -> f64 {
    #[cfg(feature = "hydrate")]
    {
        js_sys::Date::now()
    }
    #[cfg(not(feature = "hydrate"))]
    0.0
}

/// The moment that a `datetime-local` field names in the reader's zone, in RFC 3339 UTC; `None`
/// for an empty or unfinished one.
#[must_use]
pub fn local_to_utc(field: &str) -> Option<String> {
    if field.is_empty() {
        return None;
    }
    #[cfg(feature = "hydrate")]
    {
        let date = js_sys::Date::new(&field.into());
        (!date.get_time().is_nan()).then(|| date.to_iso_string().into())
    }
    #[cfg(not(feature = "hydrate"))]
    None
}

/// A moment as a `datetime-local` field writes it, in the reader's zone, to the minute.
#[must_use]
pub fn utc_to_local(at: DateTime<Utc>) -> String {
    #[cfg(feature = "hydrate")]
    {
        let date = js_sys::Date::new(&(at.timestamp_millis() as f64).into());
        let (month, day) = (date.get_month() + 1, date.get_date());
        let (hour, minute) = (date.get_hours(), date.get_minutes());
        format!(
            "{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}",
            date.get_full_year()
        )
    }
    #[cfg(not(feature = "hydrate"))]
    at.format("%Y-%m-%dT%H:%M").to_string()
}

/// A moment in the reader's zone and in the words of their language; `None` where there is no reader.
#[must_use]
pub fn local_time(at: DateTime<Utc>) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        let date = js_sys::Date::new(&(at.timestamp_millis() as f64).into());
        let options = js_sys::Object::new();
        for (name, value) in [("dateStyle", "medium"), ("timeStyle", "long")] {
            js_sys::Reflect::set(&options, &name.into(), &value.into()).ok()?;
        }
        // Without a language of ours the browser takes its own, and none that it might refuse.
        let format = js_sys::Reflect::get(&date, &"toLocaleString".into()).ok()?;
        let format: js_sys::Function = wasm_bindgen::JsCast::dyn_into(format).ok()?;
        let undefined = wasm_bindgen::JsValue::UNDEFINED;
        format.call2(&date, &undefined, &options).ok()?.as_string()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = at;
        None
    }
}

/// A whole number as the browser's language writes it.
#[must_use]
pub fn local_number(number: i64) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        // Without a language of ours the browser takes its own, and none that it might refuse.
        let format = js_sys::Intl::NumberFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
        let text = format
            .format()
            .call1(&wasm_bindgen::JsValue::NULL, &(number as f64).into());
        text.ok()?.as_string()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = number;
        None
    }
}

/// Whether anybody can see the page.
#[must_use]
pub fn is_visible() -> bool {
    #[cfg(feature = "hydrate")]
    {
        !document().hidden()
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// The future's outcome, or `None` where it takes longer than `patience`.
pub async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    #[cfg(feature = "hydrate")]
    {
        use futures::future::{Either, select};

        let (ring, rung) = futures::channel::oneshot::channel::<()>();
        let alarm = set_timeout_with_handle(
            move || {
                let _ = ring.send(());
            },
            patience,
        );
        match select(std::pin::pin!(work), rung).await {
            Either::Left((outcome, _)) => {
                if let Ok(alarm) = alarm {
                    alarm.clear();
                }
                Some(outcome)
            }
            Either::Right(_) => None,
        }
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = patience;
        Some(work.await)
    }
}

/// The id of the element that has the focus.
#[must_use]
pub fn focused_id() -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        document()
            .active_element()
            .map(|element| element.id())
            .filter(|id| !id.is_empty())
    }
    #[cfg(not(feature = "hydrate"))]
    None
}

/// Gives the focus to the first of these elements that is there, once the page has settled. An
/// element that already has it keeps it, unless that is the whole page or hidden.
pub fn focus_lost_to(selectors: Vec<String>) {
    #[cfg(feature = "hydrate")]
    give_focus(selectors, Duration::ZERO, 10);
    #[cfg(not(feature = "hydrate"))]
    let _ = selectors;
}

/// Tries again for a while where the focus went nowhere: behind a dialog that is still being taken
/// away, nothing takes it.
#[cfg(feature = "hydrate")]
fn give_focus(selectors: Vec<String>, after: Duration, tries: u32) {
    use web_sys::wasm_bindgen::JsCast;

    set_timeout(
        move || {
            if !nobody_has_focus() {
                return;
            }
            let wanted = selectors
                .iter()
                .filter_map(|selector| document().query_selector(selector).ok().flatten())
                .find_map(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
            if let Some(element) = wanted {
                // A heading takes the focus only where it is told that it may.
                if element.tag_name() == "H2" {
                    element.set_tab_index(-1);
                }
                let _ = element.focus();
            }
            if tries > 1 && nobody_has_focus() {
                give_focus(selectors, Duration::from_millis(50), tries - 1);
            }
        },
        after,
    );
}

/// Whether the focus is on the whole page, or on something hidden.
#[cfg(feature = "hydrate")]
fn nobody_has_focus() -> bool {
    use web_sys::wasm_bindgen::JsCast;

    document().active_element().is_none_or(|element| {
        let is_hidden = |element: &web_sys::HtmlElement| {
            element.offset_parent().is_none() && element.tag_name() != "DIALOG"
        };
        element.tag_name() == "BODY"
            || element
                .dyn_ref::<web_sys::HtmlElement>()
                .is_some_and(is_hidden)
    })
}

/// Gives the focus to the first field that a form's last attempt found at fault.
pub fn focus_first_fault() {
    #[cfg(feature = "hydrate")]
    set_timeout(
        || {
            use web_sys::wasm_bindgen::JsCast;

            let faulty = document()
                .query_selector(r#"[aria-invalid="true"], [data-invalid="true"] input"#)
                .ok()
                .flatten()
                .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
            if let Some(element) = faulty {
                let _ = element.focus();
            }
        },
        Duration::ZERO,
    );
}

/// Server-sent events, as long as it is kept.
#[cfg(feature = "hydrate")]
pub struct Events {
    source: web_sys::EventSource,
    _told: wasm_bindgen::closure::Closure<dyn FnMut()>,
    _opened: wasm_bindgen::closure::Closure<dyn FnMut()>,
    _failed: wasm_bindgen::closure::Closure<dyn FnMut()>,
}

#[cfg(feature = "hydrate")]
impl Events {
    /// Opens them; `changed` is called at each event of that name, and whenever the connection is there:
    /// what happened before that, nobody has heard. `ended` is called where the browser tries no more: a
    /// server answered, and not with events. It is not to drop them.
    #[must_use]
    pub fn open(
        address: &str,
        changed: impl Fn() + Clone + 'static,
        ended: impl Fn() + 'static,
    ) -> Option<Self> {
        use wasm_bindgen::JsCast;
        use wasm_bindgen::closure::Closure;

        let source = web_sys::EventSource::new(address).ok()?;
        let told = Closure::<dyn FnMut()>::new(changed.clone());
        let opened = Closure::<dyn FnMut()>::new(changed);
        source
            .add_event_listener_with_callback("changed", told.as_ref().unchecked_ref())
            .ok()?;
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        let failed = Closure::<dyn FnMut()>::new({
            let source = source.clone();
            move || {
                if source.ready_state() == web_sys::EventSource::CLOSED {
                    ended();
                }
            }
        });
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        Some(Self {
            source,
            _told: told,
            _opened: opened,
            _failed: failed,
        })
    }
}

#[cfg(feature = "hydrate")]
impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// The path of the page that is shown.
#[cfg(feature = "hydrate")]
#[must_use]
pub fn path() -> String {
    location_pathname().unwrap_or_default()
}

/// Loads the page anew.
pub fn reload() {
    #[cfg(feature = "hydrate")]
    let _ = location().reload();
}

/// What this browser remembers under a name.
#[cfg(feature = "hydrate")]
#[must_use]
pub fn remembered(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(name).ok()?
}

/// Has this browser remember something under a name, or forget it. One that may not remember
/// anything forgets it with the page.
#[cfg(feature = "hydrate")]
pub fn remember(name: &str, text: Option<&str>) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = match text {
            Some(text) => storage.set_item(name, text),
            None => storage.remove_item(name),
        };
    }
}

/// Whether a key is pressed in something that takes text or choices.
#[cfg(feature = "hydrate")]
#[must_use]
pub fn is_typing(event: &web_sys::KeyboardEvent) -> bool {
    use web_sys::wasm_bindgen::JsCast;

    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| {
        let takes =
            element.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
        takes.unwrap_or(false)
    })
}

#[cfg(feature = "hydrate")]
fn find(selector: &str) -> Option<web_sys::HtmlElement> {
    use web_sys::wasm_bindgen::JsCast;

    document().query_selector(selector).ok()??.dyn_into().ok()
}

/// Gives the focus to an element that is being put there, wherever it was.
pub fn focus_soon(selector: &'static str) {
    #[cfg(feature = "hydrate")]
    set_timeout(
        move || {
            focus(selector);
        },
        Duration::ZERO,
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = selector;
}

/// Gives the focus to an element; whether it is there.
#[cfg(feature = "hydrate")]
pub fn focus(selector: &str) -> bool {
    find(selector).is_some_and(|element| element.focus().is_ok())
}

/// Presses an element as a pointer would; whether it is there.
#[cfg(feature = "hydrate")]
pub fn click(selector: &str) -> bool {
    let found = find(selector);
    if let Some(element) = &found {
        // The dialog that it opens gives the focus back to it.
        let _ = element.focus();
        element.click();
    }
    found.is_some()
}

/// Moves the focus among these elements, to the first one where none has it; whether there are any.
#[cfg(feature = "hydrate")]
pub fn step_focus(selector: &str, step: i32) -> bool {
    use web_sys::wasm_bindgen::JsCast;

    let Ok(all) = document().query_selector_all(selector) else {
        return false;
    };
    let count = all.length();
    let focused = document().active_element();
    // Also from a button in the same row.
    let row = focused
        .as_ref()
        .and_then(|element| element.closest("tr, li").ok().flatten());
    let is_here = |at: &u32| {
        let node = all.item(*at);
        row.as_ref().is_some_and(|row| row.contains(node.as_ref()))
    };
    let here = (0..count).find(is_here);
    let next = match here {
        None => 0,
        Some(at) => at.saturating_add_signed(step).min(count.saturating_sub(1)),
    };
    let element = all
        .item(next)
        .and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok());
    element.is_some_and(|element| element.focus().is_ok())
}
