//! The table of contents: every route, and who may call it.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    handler::Handler,
    middleware::from_fn_with_state,
    routing::{MethodFilter, MethodRouter, on},
};
use engine::Engine;
use model::{Action, ActionAlias, Policy, Rule, SensorType, TriggerType};
use std::sync::Arc;

use crate::{
    ApiOptions,
    Permission::{
        ActionAliasList, ActionAliasView, ActionCreate, ActionDelete, ActionExecute, ActionList, ActionModify,
        ActionView, DeadLetterList, DeadLetterRedrive, ExecutionList, ExecutionRerun, ExecutionStop, ExecutionView,
        ExecutionViewsFiltersList, InquiryList, InquiryRespond, InquiryView, KeyValuePairDelete, KeyValuePairList,
        KeyValuePairSet, KeyValuePairView, PackList, PackRegister, PackView, PolicyCreate, PolicyDelete, PolicyList,
        PolicyModify, PolicyTypeList, PolicyTypeView, PolicyView, RuleCreate, RuleDelete, RuleEnforcementList,
        RuleEnforcementView, RuleList, RuleModify, RuleView, RunnerTypeList, RunnerTypeView, SensorTypeList,
        SensorTypeView, TimerList, TimerView, TraceList, TraceView, TriggerAll, TriggerList, TriggerView, WebhookList,
        WebhookSend, WebhookView,
    },
    auth::guard,
    edge::edge,
    error::ApiError,
    permission::Access::{self, Authenticated, Open},
    positions::Positions,
    routes::{
        actions, content, deadletters, executions, inquiries, keys, meta, packs, packuploads, policytypes,
        ruleenforcements, rules, ruletypes, runnertypes, timers, traces, triggerinstances, triggers, webhooks,
    },
};

/// What handlers work with.
pub(crate) struct Api {
    pub(crate) engine: Arc<Engine>,
    pub(crate) options: ApiOptions,
    pub(crate) positions: Positions,
}

/// One route. There is no way to make one that does not say who may call it.
pub(crate) struct Route {
    #[cfg_attr(not(test), expect(dead_code, reason = "a test walks the table by it"))]
    pub(crate) method: MethodFilter,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    serve: MethodRouter<Arc<Api>>,
}

fn route<H, T>(method: MethodFilter, path: &'static str, access: impl Into<Access>, handler: H) -> Route
where
    H: Handler<T, Arc<Api>>,
    T: 'static,
{
    Route { method, path, access: access.into(), serve: on(method, handler) }
}

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// Every route, below each of [`BASES`].
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table of contents is one table")]
pub(crate) fn table() -> Vec<Route> {
    vec![
        route(GET,    "/",                                   Authenticated,       meta::index),
        route(GET,    "/user",                               Authenticated,       meta::user),
        route(GET,    "/healthz",                            Open,                meta::healthz),
        route(GET,    "/readyz",                             Open,                meta::readyz),

        route(GET,    "/webhooks",                           WebhookList,         webhooks::list),
        route(GET,    "/webhooks/{*url}",                    WebhookView,         webhooks::get),
        route(POST,   "/webhooks/{*url}",                    WebhookSend,         webhooks::post),

        route(GET,    "/executions",                         ExecutionList,       executions::list),
        route(POST,   "/executions",                         ActionExecute,       executions::create),
        route(GET,    "/executions/views/filters",           ExecutionViewsFiltersList, executions::filters),
        route(GET,    "/executions/{id}",                    ExecutionView,       executions::get),
        route(PUT,    "/executions/{id}",                    ExecutionStop,       executions::update),
        route(DELETE, "/executions/{id}",                    ExecutionStop,       executions::cancel),
        route(POST,   "/executions/{id}/re_run",             ExecutionRerun,      executions::re_run),
        route(GET,    "/executions/{id}/output",             ExecutionView,       executions::output),
        route(GET,    "/executions/{id}/children",           ExecutionView,       executions::children),
        route(GET,    "/executions/{id}/workflow",           ExecutionView,       executions::workflow),
        route(GET,    "/executions/{id}/attribute/{name}",   ExecutionView,       executions::attribute),
        route(GET,    "/executions/{id}/result",             ExecutionView,       executions::result),

        route(GET,    "/actions",                            ActionList,          content::list::<Action>),
        route(POST,   "/actions",                            ActionCreate,        content::create::<Action>),
        route(GET,    "/actions/views/parameters/{name}",    ActionView,          actions::parameters),
        route(GET,    "/actions/views/overview",             ActionList,          actions::overviews),
        route(GET,    "/actions/views/overview/{name}",      ActionView,          actions::overview),
        route(GET,    "/actions/views/entry_point/{name}",   ActionView,          actions::entry_point),
        route(GET,    "/actions/{name}",                     ActionView,          content::get::<Action>),
        route(PUT,    "/actions/{name}",                     ActionModify,        content::update::<Action>),
        route(DELETE, "/actions/{name}",                     ActionDelete,        content::delete::<Action>),

        route(GET,    "/rules",                              RuleList,            content::list::<Rule>),
        route(POST,   "/rules",                              RuleCreate,          content::create::<Rule>),
        route(GET,    "/rules/views",                        RuleList,            rules::views),
        route(GET,    "/rules/views/{name}",                 RuleView,            rules::view),
        route(GET,    "/rules/{name}",                       RuleView,            content::get::<Rule>),
        route(PUT,    "/rules/{name}",                       RuleModify,          content::update::<Rule>),
        route(DELETE, "/rules/{name}",                       RuleDelete,          content::delete::<Rule>),
        route(GET,    "/ruletypes",                          RuleList,            ruletypes::list),
        route(GET,    "/ruletypes/{name}",                   RuleView,            ruletypes::get),

        route(GET,    "/triggertypes",                       TriggerList,         content::list::<TriggerType>),
        route(POST,   "/triggertypes",                       TriggerAll,          content::create::<TriggerType>),
        route(GET,    "/triggertypes/{name}",                TriggerView,         content::get::<TriggerType>),
        route(PUT,    "/triggertypes/{name}",                TriggerAll,          content::update::<TriggerType>),
        route(DELETE, "/triggertypes/{name}",                TriggerAll,          content::delete::<TriggerType>),
        route(GET,    "/triggers",                           TriggerList,         triggers::list),
        route(GET,    "/triggers/{name}",                    TriggerView,         triggers::get),
        route(GET,    "/timers",                             TimerList,           timers::list),
        route(GET,    "/timers/{name}",                      TimerView,           timers::get),

        route(GET,    "/triggerinstances",                   TriggerList,         triggerinstances::list),
        route(GET,    "/triggerinstances/{id}",              TriggerView,         triggerinstances::get),
        route(POST,   "/triggerinstances/{id}/re_emit",      WebhookSend,         triggerinstances::re_emit),
        route(GET,    "/triggerinstances/{id}/explain",      TriggerView,         triggerinstances::explain),
        route(GET,    "/ruleenforcements",                   RuleEnforcementList, ruleenforcements::list),
        route(GET,    "/ruleenforcements/views",             RuleEnforcementList, ruleenforcements::views),
        route(GET,    "/ruleenforcements/views/{id}",        RuleEnforcementView, ruleenforcements::view),
        route(GET,    "/ruleenforcements/{id}",              RuleEnforcementView, ruleenforcements::get),
        route(GET,    "/traces",                             TraceList,           traces::list),
        route(GET,    "/traces/{id}",                        TraceView,           traces::get),

        route(GET,    "/packs",                              PackList,            packs::list),
        route(POST,   "/packs/versions",                     PackRegister,        packs::register),
        route(POST,   "/packs/register",                     PackRegister,        packs::register_by_name),
        route(GET,    "/packs/{name}",                       PackView,            packs::get),

        route(POST,   "/packuploads",                        PackRegister,        packuploads::create),
        route(GET,    "/packuploads/{id}",                   PackRegister,        packuploads::get),

        route(GET,    "/deadletters",                        DeadLetterList,      deadletters::list),
        route(GET,    "/deadletters/{queue}",                DeadLetterList,      deadletters::get),
        route(POST,   "/deadletters/{queue}/redrive",        DeadLetterRedrive,   deadletters::redrive),

        route(GET,    "/inquiries",                          InquiryList,         inquiries::list),
        route(GET,    "/inquiries/{id}",                     InquiryView,         inquiries::get),
        route(PUT,    "/inquiries/{id}",                     InquiryRespond,      inquiries::respond),

        route(GET,    "/keys",                               KeyValuePairList,    keys::list),
        route(GET,    "/keys/{name}",                        KeyValuePairView,    keys::get),
        route(PUT,    "/keys/{name}",                        KeyValuePairSet,     keys::set),
        route(DELETE, "/keys/{name}",                        KeyValuePairDelete,  keys::delete),

        route(GET,    "/runnertypes",                        RunnerTypeList,      runnertypes::list),
        route(GET,    "/runnertypes/{name}",                 RunnerTypeView,      runnertypes::get),
        route(GET,    "/sensortypes",                        SensorTypeList,      content::list::<SensorType>),
        route(GET,    "/sensortypes/{name}",                 SensorTypeView,      content::get::<SensorType>),
        route(GET,    "/policies",                           PolicyList,          content::list::<Policy>),
        route(POST,   "/policies",                           PolicyCreate,        content::create::<Policy>),
        route(GET,    "/policies/{name}",                    PolicyView,          content::get::<Policy>),
        route(PUT,    "/policies/{name}",                    PolicyModify,        content::update::<Policy>),
        route(DELETE, "/policies/{name}",                    PolicyDelete,        content::delete::<Policy>),
        route(GET,    "/policytypes",                        PolicyTypeList,      policytypes::list),
        route(GET,    "/policytypes/{name}",                 PolicyTypeView,      policytypes::get),
        route(GET,    "/actionalias",                        ActionAliasList,     content::list::<ActionAlias>),
        route(GET,    "/actionalias/{name}",                 ActionAliasView,     content::get::<ActionAlias>),
    ]
}

/// Where the API is found: behind StackStorm's front end, and on its API service's own port.
pub(crate) const BASES: [&str; 3] = ["/api/v1", "/v1", ""];

/// The paths of a route below all bases, with StackStorm's other name for executions.
pub(crate) fn paths(path: &str) -> Vec<String> {
    let alias = path.strip_prefix("/executions").map(|rest| format!("/actionexecutions{rest}"));
    let names = [Some(path.to_owned()), alias];
    let names = names.iter().flatten();
    names
        .flat_map(|name| {
            BASES.map(|base| format!("{base}{}", if base.is_empty() { name } else { name.trim_end_matches('/') }))
        })
        .collect()
}

/// The interface over an engine.
pub fn router(engine: Arc<Engine>, options: ApiOptions) -> Router {
    let api = Arc::new(Api { engine, options, positions: Positions::default() });
    let mut routes = Router::new();
    for route in table() {
        let serve = route.serve.route_layer(from_fn_with_state((Arc::clone(&api), route.access), guard));
        for path in paths(route.path) {
            routes = routes.route(&path, serve.clone());
        }
    }
    let routes = routes
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_route)
        // Every body is read with a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&api));
    // What stands around a router of its own comes before the routing, so that it may change the path.
    Router::new().fallback_service(routes).layer(from_fn_with_state(api, edge))
}

async fn no_route(request: Request) -> ApiError {
    let shown: String = request.uri().path().chars().take(200).collect();
    ApiError::not_found(format!("No route matches \"{shown}\" path"))
}

async fn method_not_allowed(request: Request) -> ApiError {
    ApiError::method_not_allowed(request.method(), request.uri().path())
}
