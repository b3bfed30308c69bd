//! Searches by the texts that a process keeps: the pages are those of the database at that moment.

use std::sync::Arc;

use myproof_registry::domain::key_list::KeyListInput;
use myproof_registry::server::service::Registry;
use myproof_registry::server::service::sample::SampleSize;
use myproof_registry::server::store::key_list::Newest;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// A process of its own over the same database, which keeps the newest `most` keys.
fn process(app: &TestApp, most: i64) -> Registry {
    Registry {
        newest: Arc::new(Newest::of(most)),
        ..app.registry.clone()
    }
}

/// The keyIds of all pages, which are the same ones on the way back.
async fn found(registry: &Registry, q: Option<&str>, sort: &str, limit: usize) -> Vec<String> {
    let mut query = KeyListInput {
        q: q.map(str::to_owned),
        sort: Some(sort.to_owned()),
        limit: Some(limit.to_string()),
        ..KeyListInput::default()
    };
    let mut pages: Vec<Vec<String>> = Vec::new();
    let mut back = 0;
    loop {
        let page = registry.list_keys(&query.check().unwrap()).await.unwrap();
        let ids = page
            .items
            .into_iter()
            .map(|key| key.key_id.to_string())
            .collect();
        query.cursor = if back == 0 {
            pages.push(ids);
            page.next_cursor.or_else(|| {
                back = pages.len();
                page.previous_cursor
            })
        } else {
            back -= 1;
            assert_eq!(ids, pages[back - 1], "page {back} on the way back");
            page.previous_cursor
        };
        if query.cursor.is_none() {
            assert!(back <= 1, "no way back from page {back}");
            return pages.concat();
        }
    }
}

async fn newest_first(registry: &Registry, q: &str) -> Vec<String> {
    found(registry, Some(q), "-createdAt", 50).await
}

async fn sample(app: &TestApp) {
    let size = SampleSize {
        partners: 90,
        keys: 500,
        seed: 3,
    };
    app.registry.add_sample(size).await.unwrap();
    // Of one moment, where ids alone make the order.
    sqlx::raw_sql(
        "alter table api_keys disable trigger user;
         update api_keys set created_at = date_trunc('week', created_at);
         alter table api_keys enable trigger user;",
    )
    .execute(&app.pool)
    .await
    .unwrap();
}

/// Renames all keys whose text has this in it, in a transaction of its own or as part of another.
async fn rename(to: impl sqlx::PgExecutor<'_>, from: &str, name: &str) -> u64 {
    sqlx::query("update api_keys set name = $2 where search_text like '%' || $1 || '%'")
        .bind(from)
        .bind(name)
        .execute(to)
        .await
        .unwrap()
        .rows_affected()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whatever_is_kept_the_pages_are_the_same(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    let texts: Vec<(String, String)> = sqlx::query_as(
        "select key_id, search_text || E'\n' || lower(name) from
             (select key_id, search_text, p.name from api_keys k join partners p using (partner_id)) x",
    )
    .fetch_all(&app.pool)
    .await
    .unwrap();
    let has = |id: &String, q: &str| {
        texts
            .iter()
            .any(|(key, text)| key == id && text.contains(q))
    };
    let mut hits = 0;
    for sort in ["-createdAt", "createdAt"] {
        let whole = found(&app.registry, None, sort, 200).await;
        for most in [1, 60, 30_000] {
            let process = process(&app, most);
            for q in [
                "mpk", "tion", "a1b", "f00", "ing", "zzz", "e 1", "t 00", "r 9",
            ] {
                let expected: Vec<String> = whole.iter().filter(|id| has(id, q)).cloned().collect();
                let some = found(&process, Some(q), sort, 7).await;
                assert_eq!(some, expected, "{q} by {sort} with {most}");
                hits += some.len();
            }
        }
    }
    assert!(hits > 3_000, "{hits}");
}

/// A change that the database does not note, as nothing of the product can make it: who still finds what
/// was before has not asked the table.
async fn assert_uses_what_it_keeps(app: &TestApp, process: &Registry) {
    let before = newest_first(process, "mpk").await;
    assert!(before.len() > 400);
    sqlx::raw_sql(
        "alter table api_keys disable trigger user;
         update api_keys set search_text = 'unseen', text_xid = '0';
         alter table api_keys enable trigger user;",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    assert_eq!(newest_first(process, "mpk").await, before);
    assert!(newest_first(process, "unseen").await.is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn what_is_kept_is_used(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    assert_uses_what_it_keeps(&app, &process(&app, 30_000)).await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_and_names_of_another_process_are_found_at_once(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    let partner = app.partner("Acme").await;
    let process = process(&app, 60);
    assert!(newest_first(&process, "acme").await.is_empty());
    let key = app.key(&partner, &["assets:read"]).await;
    assert_eq!(newest_first(&process, "acme").await, [key.key_id.as_str()]);
    rename(&app.pool, key.key_id.as_str(), "Payments of May").await;
    assert_eq!(
        newest_first(&process, "of may").await,
        [key.key_id.as_str()]
    );
    rename(&app.pool, key.key_id.as_str(), "Payments of June").await;
    assert!(newest_first(&process, "of may").await.is_empty());
    // An old one, far behind those that are kept, in its place between others.
    let oldest = found(&process, None, "createdAt", 200).await;
    rename(&app.pool, &oldest[0], "Payments of July").await;
    rename(&app.pool, &oldest[200], "Payments of August").await;
    let payments = [key.key_id.as_str(), &oldest[200], &oldest[0]];
    assert_eq!(newest_first(&process, "payments of").await, payments);
    let one_by_one = found(&process, Some("payments of"), "-createdAt", 1).await;
    assert_eq!(one_by_one, payments);
}

/// A transaction that began before the reading and ends after it.
#[sqlx::test(migrator = "MIGRATOR")]
async fn what_was_under_way_at_the_reading_is_found_when_it_is_committed(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    let own = app.key(&app.partner("Acme").await, &["assets:read"]).await;
    let mut open = app.pool.begin().await.unwrap();
    rename(&mut *open, own.key_id.as_str(), "Held back").await;
    // One that began later has ended before the reading.
    app.key(&app.partner("Other").await, &["assets:read"]).await;
    let process = process(&app, 30_000);
    assert!(newest_first(&process, "held back").await.is_empty());
    open.commit().await.unwrap();
    let held_back = newest_first(&process, "held back").await;
    assert_eq!(held_back, [own.key_id.as_str()]);
}

/// While a transaction goes on and on, more changes than are asked for: another reading would tell no more.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_transaction_that_goes_on_hides_nothing(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    let own = app.key(&app.partner("Acme").await, &["assets:read"]).await;
    let mut open = app.pool.begin().await.unwrap();
    rename(&mut *open, own.key_id.as_str(), "Held back").await;
    let process = process(&app, 30_000);
    assert!(newest_first(&process, "held back").await.is_empty());
    for name in ["Others", "Others again"] {
        let others = sqlx::query("update api_keys set name = $2 where key_id <> $1")
            .bind(own.key_id.as_str())
            .bind(name);
        let many = others.execute(&app.pool).await.unwrap().rows_affected();
        assert!(many > 256, "{many}");
        assert_eq!(newest_first(&process, "others").await.len() as u64, many);
        assert!(newest_first(&process, "held back").await.is_empty());
    }
    open.commit().await.unwrap();
    assert_eq!(
        newest_first(&process, "held back").await,
        [own.key_id.as_str()]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn many_changes_are_read_anew(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    let process = process(&app, 30_000);
    assert!(newest_first(&process, "renamed").await.is_empty());
    for name in ["Renamed", "Renamed again"] {
        let many = rename(&app.pool, "mpk", name).await;
        assert_eq!(newest_first(&process, "renamed").await.len() as u64, many);
    }
    assert!(newest_first(&process, "tion").await.is_empty());
    assert_uses_what_it_keeps(&app, &process).await;
}

/// Another cluster's transactions have other numbers.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_restored_database_is_searched_like_any(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    sqlx::query("update api_keys set text_xid = '1000000000000'")
        .execute(&app.pool)
        .await
        .unwrap();
    let process = process(&app, 30_000);
    let all = newest_first(&process, "mpk").await;
    assert_eq!(
        all.len() as i64,
        app.count("select count(*) from api_keys").await
    );
    assert_uses_what_it_keeps(&app, &process).await;
    let renamed = "update api_keys set name = 'Renamed' where key_id = $1";
    app.sql(renamed, &all[300]).await;
    assert_eq!(newest_first(&process, "renamed").await, all[300..=300]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_that_are_gone_leave_no_gap_and_come_back(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    let process = process(&app, 30_000);
    let all = newest_first(&process, "mpk").await;
    let run = async |sql| sqlx::raw_sql(sql).execute(&app.pool).await.unwrap();
    run("create table aside as select * from api_keys;
         delete from api_keys where key_id like '%7' and key_id not in
             (select rotated_from from api_keys where rotated_from is not null)")
    .await;
    let left: Vec<String> =
        sqlx::query_scalar("select key_id from api_keys order by created_at desc, key_id desc")
            .fetch_all(&app.pool)
            .await
            .unwrap();
    assert!(left.len() < all.len() && left.len() > 50, "{}", left.len());
    assert_eq!(newest_first(&process, "mpk").await, left);
    run("insert into api_keys select * from aside on conflict do nothing").await;
    assert_eq!(newest_first(&process, "mpk").await, all);
    run("delete from api_keys").await;
    assert!(newest_first(&process, "mpk").await.is_empty());
}

/// What becomes of letters beyond ASCII is the database's affair.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_sign_that_has_a_small_letter_in_ascii_finds_ids(pool: PgPool) {
    let app = TestApp::new(pool);
    sample(&app).await;
    app.sql(
        "update api_keys set name = 'the K' where key_id = $1",
        &newest_first(&app.registry, "mpk").await[7],
    )
    .await;
    for most in [1, 30_000] {
        let process = process(&app, most);
        for (q, same) in [("mp\u{212a}", "mpk"), ("the \u{212a}", "the k")] {
            let expected = newest_first(&process, same).await;
            let signs: bool = sqlx::query_scalar("select lower($1) = $2")
                .bind(q)
                .bind(same)
                .fetch_one(&app.pool)
                .await
                .unwrap();
            assert!(!expected.is_empty());
            let expected = if signs { expected } else { Vec::new() };
            assert_eq!(newest_first(&process, q).await, expected, "{q}");
        }
    }
}
