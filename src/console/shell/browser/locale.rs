//! The reader's clock, time zone and language.

use chrono::{DateTime, Utc};

/// Returns the browser's clock in milliseconds. It may be wrong: for durations only.
pub fn millis() -> f64 {
    #[cfg(feature = "hydrate")]
    {
        js_sys::Date::now()
    }
    #[cfg(not(feature = "hydrate"))]
    0.0
}

/// Converts the value of a `datetime-local` field, in the reader's zone, to RFC 3339 in UTC; `None`
/// if it is empty or incomplete.
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

/// Formats a time as the value of a `datetime-local` field, in the reader's zone, to the minute.
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

/// Formats a time in the reader's zone and language; `None` on the server.
pub fn local_time(at: DateTime<Utc>) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        let date = js_sys::Date::new(&(at.timestamp_millis() as f64).into());
        let options = js_sys::Object::new();
        for (name, value) in [("dateStyle", "medium"), ("timeStyle", "long")] {
            js_sys::Reflect::set(&options, &name.into(), &value.into()).ok()?;
        }
        // Without a locale the browser uses its own.
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

/// Formats an integer in the browser's language; `None` on the server.
pub fn local_number(number: i64) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        // Without a locale the browser uses its own.
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
