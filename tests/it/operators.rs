//! Operators, as the console changes them.

use myproof_registry::domain::error::{AppError, Conflict};
use myproof_registry::domain::operator::{Operator, Role, UpdateOperator};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{PASSWORD, TestApp, somebody};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

async fn all(app: &TestApp) -> Vec<Operator> {
    app.services.operators.list().await.unwrap()
}

async fn id_of(app: &TestApp, email: &str) -> Uuid {
    let all = all(app).await;
    all.iter()
        .find(|one| one.email == email)
        .unwrap()
        .operator_id
}

const OFF: UpdateOperator = UpdateOperator {
    role: None,
    active: Some(false),
};

#[sqlx::test(migrator = "MIGRATOR")]
async fn losing_a_permission_ends_sessions_and_the_last_admin_stays(pool: PgPool) {
    let app = TestApp::new(pool);
    let one = app.signed_in("one@example.com", Role::Admin).await;
    let two = app.signed_in("two@example.com", Role::Admin).await;
    let two_id = id_of(&app, "two@example.com").await;
    let update = json!({"operator_id": two_id, "input": {"role": "auditor"}});
    let answer = app.rpc("operators/update", Some(&one), update).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["role"]),
        (200, &json!("auditor"))
    );
    assert_eq!(
        app.rpc("operators/list", Some(&two), json!({}))
            .await
            .status,
        401
    );
    // Every change that would leave no admin is refused.
    let one_id = id_of(&app, "one@example.com").await;
    for input in [json!({"role": "auditor"}), json!({"active": false})] {
        let update = json!({"operator_id": one_id, "input": input});
        let answer = app.rpc("operators/update", Some(&one), update).await;
        answer.problem(409, "conflict", "last_admin");
    }
    let refused = app
        .services
        .operators
        .disable(&somebody(), "one@example.com")
        .await;
    assert_eq!(refused, Err(AppError::from(Conflict::LastAdmin)));
    // A disabled admin is none who could.
    app.services
        .operators
        .create(
            &somebody(),
            "three@example.com",
            Role::Admin,
            PASSWORD.to_owned().into(),
        )
        .await
        .unwrap();
    let three = id_of(&app, "three@example.com").await;
    app.services
        .operators
        .update(&somebody(), three, OFF)
        .await
        .unwrap();
    assert!(
        app.services
            .operators
            .update(&somebody(), one_id, OFF)
            .await
            .is_err()
    );
    let actions = "select count(*) from audit_events where action in ('operator.changed', 'operator.disabled')";
    assert_eq!(app.count(actions).await, 2);
    // A repetition changes nothing and is not recorded.
    app.services
        .operators
        .update(&somebody(), three, OFF)
        .await
        .unwrap();
    assert_eq!(app.count(actions).await, 2);
    let nobody = app
        .services
        .operators
        .update(&somebody(), Uuid::nil(), OFF)
        .await;
    assert!(matches!(nobody, Err(AppError::NotFound { .. })));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn two_admins_disabling_each_other_leave_one_enabled(pool: PgPool) {
    let app = TestApp::new(pool);
    for round in 0..5 {
        let emails = [
            format!("a{round}@example.com"),
            format!("b{round}@example.com"),
        ];
        for email in &emails {
            app.services
                .operators
                .create(&somebody(), email, Role::Admin, PASSWORD.to_owned().into())
                .await
                .unwrap();
        }
        let ids = [id_of(&app, &emails[0]).await, id_of(&app, &emails[1]).await];
        // The admin left by the previous round.
        for other in all(&app).await {
            if !ids.contains(&other.operator_id) && other.active {
                app.services
                    .operators
                    .update(&somebody(), other.operator_id, OFF)
                    .await
                    .unwrap();
            }
        }
        let origin = somebody();
        let (a, b) = futures::join!(
            app.services.operators.update(&origin, ids[0], OFF),
            app.services.operators.update(&origin, ids[1], OFF)
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn operators_cannot_reset_their_own_password(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in("kate@example.com", Role::Admin).await;
    app.signed_in("other@example.com", Role::Auditor).await;
    let reset = async |email: &str| {
        let body = json!({"email": email, "password": "canary password, another one"});
        app.rpc("operators/password", Some(&cookie), body).await
    };
    // The last with the Kelvin sign, whose lower case is a k.
    for own in [
        "kate@example.com",
        " KATE@Example.com ",
        "\u{212a}ate@example.com",
    ] {
        let answer = reset(own).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(answer.text.contains("present one"), "{}", answer.text);
    }
    assert_eq!(reset("other@example.com").await.status, 200);
    assert_eq!(app.page("/api-keys", Some(&cookie)).await.status, 200);
}
