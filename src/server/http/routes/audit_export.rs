//! Export of the audit log: `GET /api/admin/audit/export` for admin keys, `GET /audit/export` for
//! operators. Streamed from the database.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use futures::stream::{self, StreamExt};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::error::{AppError, AppResult};
use crate::domain::event_description::{DescribedEvent, Segment};
use crate::domain::list::{EventExportInput, ExportFormat};
use crate::domain::routes;
use crate::domain::scope::Scope;
use crate::server::http::extract::query::StrictQuery;
use crate::server::http::middleware::guard::Gate;
use crate::server::http::middleware::session::Session;
use crate::server::http::problem::Problem;
use crate::server::service::Services;
use crate::server::state::AppState;

const HEADINGS: [&str; 13] = [
    "eventId",
    "at",
    "actorType",
    "actorId",
    "action",
    "summary",
    "partnerId",
    "partnerName",
    "keyId",
    "assetId",
    "ip",
    "requestId",
    "details",
];

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(gate.guard(&[Scope::Admin], routes!(export)))
}

/// Export the audit log
///
/// All matching events, newest first, as newline-delimited JSON or CSV. The response is streamed: an
/// interrupted one lacks the final chunk, which clients report as an error.
#[utoipa::path(get, path = "/api/admin/audit/export", operation_id = "exportEvents", tag = "Audit log",
    params(EventExportInput),
    responses((status = 200, description = "The events", content(
        (String = "application/x-ndjson"), (String = "text/csv")))))]
async fn export(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<EventExportInput>,
) -> Result<Response, Problem> {
    Ok(file(&state.services, input)?)
}

/// Exports the audit log for an operator. Redirects to the sign-in page without a session.
pub async fn download(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    StrictQuery(input): StrictQuery<EventExportInput>,
) -> Result<Response, Problem> {
    if session.signed_in.is_none() {
        return Ok(Redirect::to(&routes::login(routes::AUDIT)).into_response());
    }
    Ok(file(&state.services, input)?)
}

fn file(services: &Services, input: EventExportInput) -> AppResult<Response> {
    let (format, query) = input.check()?;
    let name = format!(
        "attachment; filename=\"history-{}.{}\"",
        services.now().format("%Y%m%dT%H%M%SZ"),
        format.into_str()
    );
    let write = match format {
        ExportFormat::Csv => csv_lines,
        ExportFormat::Ndjson => json_lines,
    };
    let parts = services.audit.export(query).map(move |part| match part {
        Ok(events) => write(&events),
        Err(error) => {
            tracing::warn!(%error, "the audit log export was aborted");
            Err(error)
        }
    });
    let headings = (format == ExportFormat::Csv).then(|| csv([HEADINGS.map(str::to_owned)]));
    let body = Body::from_stream(stream::iter(headings).chain(parts));
    let headers = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, body).into_response())
}

fn json_lines(events: &[DescribedEvent]) -> AppResult<Vec<u8>> {
    let mut lines = Vec::new();
    for described in events {
        serde_json::to_writer(&mut lines, &described.event).map_err(unwritable)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn csv_lines(events: &[DescribedEvent]) -> AppResult<Vec<u8>> {
    csv(events.iter().map(|described| {
        let event = &described.event;
        let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        [
            event.event_id.to_string(),
            event
                .at
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            event.actor.kind.into_str().to_owned(),
            event.actor.id.clone(),
            event.action.into_str().to_owned(),
            described.sentence.iter().map(Segment::text).collect(),
            id(event.partner_id),
            described.partner_name.clone().unwrap_or_default(),
            event
                .key_id
                .as_ref()
                .map(|key| key.as_str().to_owned())
                .unwrap_or_default(),
            id(event.asset_id),
            event.ip.clone().unwrap_or_default(),
            event.request_id.clone().unwrap_or_default(),
            details(&event.details),
        ]
    }))
}

fn details(details: &Value) -> String {
    match details.as_object() {
        Some(members) if members.is_empty() => String::new(),
        _ => details.to_string(),
    }
}

fn csv<const N: usize>(records: impl IntoIterator<Item = [String; N]>) -> AppResult<Vec<u8>> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for record in records {
        let cells = record.map(inert);
        writer.write_record(&cells).map_err(unwritable)?;
    }
    writer.into_inner().map_err(unwritable)
}

/// Escapes a cell that a spreadsheet would evaluate as a formula (OWASP CSV Injection).
fn inert(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell
    }
}

fn unwritable(error: impl std::fmt::Display) -> AppError {
    tracing::error!(%error, "failed to serialise an event for the export");
    AppError::Internal
}
