/**
 * The Grafana dashboard of the operator's and the engine's metrics, as generate.ts writes it into the chart. A row of it is a question
 * that somebody asks: what runs, how fast, what failed, whether DCT and the storage hold.
 */
import { type Dashboard, type Panel, type RowPanel, VariableRefresh } from "@grafana/schema";

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Graph {
  readonly title: string;
  readonly description: string;
  /** Of Grafana's units: s, bytes, short, percentunit. */
  readonly unit: string;
  readonly queries: readonly [Query, ...Query[]];
  readonly type?: "stat" | "timeseries";
}

interface Section {
  readonly title: string;
  readonly graphs: readonly Graph[];
}

const datasource = { type: "prometheus", uid: "${datasource}" };
const here = 'namespace=~"$namespace"';
const quantile = (share: number, histogram: string, by: string): string =>
  `histogram_quantile(${share}, sum by (le, ${by}) (rate(${histogram}_bucket[$__rate_interval])))`;
const perSecond = (counter: string, by: string): string => `sum by (${by}) (rate(${counter}[$__rate_interval]))`;
const within = (counter: string, by: string): string => `sum by (${by}) (increase(${counter}[$__range]))`;

const sections: readonly Section[] = [
  {
    title: "Databases",
    graphs: [
      {
        title: "Databases by phase",
        description: "PostgresVDBs of the namespaces that are chosen above.",
        unit: "short",
        type: "stat",
        queries: [{ expr: `sum by (phase) (delphix_vdb_phase{${here}})`, legend: "{{phase}}" }],
      },
      {
        title: "Hooks that have not succeeded",
        description: "While a hook of the present data has not succeeded, its database lets no client in.",
        unit: "short",
        type: "stat",
        queries: [
          { expr: `sum(delphix_vdb_hooks{${here},outcome=~"Failed|TimedOut|Interrupted"}) or vector(0)`, legend: "hooks" },
        ],
      },
      {
        title: "Age of the data",
        description: "Since the moment of the source that the data shows.",
        unit: "s",
        queries: [{ expr: `delphix_vdb_data_age_seconds{${here}}`, legend: "{{namespace}}/{{name}}" }],
      },
      {
        title: "Bytes of its own",
        description: "What a database has changed, and shares with nobody. Known for databases on a DCT.",
        unit: "bytes",
        queries: [{ expr: `delphix_vdb_own_bytes{${here}}`, legend: "{{namespace}}/{{name}}" }],
      },
      {
        title: "Bytes that clones save",
        description: "What databases share with their sources or with each other. Each would take it again as a full copy.",
        unit: "bytes",
        queries: [{ expr: `sum(delphix_vdb_shared_bytes{${here}})`, legend: "shared" }],
      },
    ],
  },
  {
    title: "How fast",
    graphs: [
      {
        title: "From apply to Ready",
        description: "From the creation of a database to its first open gate.",
        unit: "s",
        queries: [
          {
            expr: "histogram_quantile(0.5, sum by (le) (rate(delphix_vdb_first_ready_seconds_bucket[$__rate_interval])))",
            legend: "half",
          },
          {
            expr: "histogram_quantile(0.95, sum by (le) (rate(delphix_vdb_first_ready_seconds_bucket[$__rate_interval])))",
            legend: "19 of 20",
          },
        ],
      },
      {
        title: "Time in each phase of a database",
        description: "19 of 20 were faster. Ready and Stopped are no work, so they are not here.",
        unit: "s",
        queries: [
          {
            expr: 'histogram_quantile(0.95, sum by (le, phase) (rate(delphix_phase_seconds_bucket{kind="PostgresVDB"}[$__rate_interval])))',
            legend: "{{phase}}",
          },
        ],
      },
      {
        title: "Time of actions",
        description: "From their start to their end, without their wait for others. 19 of 20 were faster.",
        unit: "s",
        queries: [{ expr: quantile(0.95, "delphix_action_seconds", "kind"), legend: "{{kind}}" }],
      },
    ],
  },
  {
    title: "Actions",
    graphs: [
      {
        title: "Ended in this time",
        description: "By kind and end. An action that fails is taken back where it replaces data.",
        unit: "short",
        type: "stat",
        queries: [{ expr: within("delphix_actions_ended_total", "kind, result"), legend: "{{kind}} {{result}}" }],
      },
      {
        title: "At work or waiting",
        description: "Actions that have not ended.",
        unit: "short",
        queries: [{ expr: "sum by (kind, phase) (delphix_actions)", legend: "{{kind}} {{phase}}" }],
      },
    ],
  },
  {
    title: "DCT and storage",
    graphs: [
      {
        title: "Calls to DCT",
        description: "A second, by how they ended. notFound and conflict are answers like others.",
        unit: "short",
        queries: [{ expr: perSecond("delphix_dct_requests_total", "result"), legend: "{{result}}" }],
      },
      {
        title: "Time of calls to DCT",
        description: "19 of 20 were faster.",
        unit: "s",
        queries: [{ expr: quantile(0.95, "delphix_dct_request_seconds", "operation"), legend: "{{operation}}" }],
      },
      {
        title: "DCT jobs",
        description: "That the operator has seen end. The engine counts all of its own.",
        unit: "short",
        queries: [
          { expr: within("delphix_dct_jobs_total", "type, result"), legend: "operator: {{type}} {{result}}" },
          { expr: within("delphix_engine_jobs_total", "type, result"), legend: "engine: {{type}} {{result}}" },
        ],
      },
      {
        title: "Time of DCT jobs",
        description: "19 of 20 were faster.",
        unit: "s",
        queries: [
          { expr: quantile(0.95, "delphix_dct_job_seconds", "type"), legend: "operator: {{type}}" },
          { expr: quantile(0.95, "delphix_engine_job_seconds", "type"), legend: "engine: {{type}}" },
        ],
      },
      {
        title: "Storage in use",
        description: "Of an engine's capacity.",
        unit: "percentunit",
        queries: [{ expr: "delphix_engine_storage_used_bytes / delphix_engine_storage_capacity_bytes", legend: "{{engine}}" }],
      },
      {
        title: "Age of the sources' newest snapshot",
        description: "What a new database would show. From the embedded engine.",
        unit: "s",
        queries: [{ expr: "delphix_engine_dsource_lag_seconds", legend: "{{name}}" }],
      },
    ],
  },
  {
    title: "The operator",
    graphs: [
      {
        title: "Replicas that lead",
        description: "One, or databases are not worked on.",
        unit: "short",
        type: "stat",
        queries: [{ expr: 'sum(leader_election_master_status{name="delphix-operator"}) or vector(0)', legend: "leading" }],
      },
      {
        title: "Work that waits",
        description: "Objects in the queues of the controllers, and those whose last run failed.",
        unit: "short",
        queries: [
          { expr: "sum by (controller) (workqueue_depth)", legend: "{{controller}}" },
          { expr: "sum by (controller) (kube_runtime_workqueue_failing)", legend: "{{controller}} failing" },
        ],
      },
      {
        title: "Silence of the caches",
        description: "Since the API server last said something. It does so every minute, also when nothing happens.",
        unit: "s",
        queries: [{ expr: "max by (resource) (kube_runtime_cache_silent_seconds)", legend: "{{resource}}" }],
      },
    ],
  },
];

/** Three panels beside each other, 8 units high: a row of Grafana's grid is 24 units wide. */
const [width, height] = [8, 8];

function panelsOf(): (Panel | RowPanel)[] {
  const panels: (Panel | RowPanel)[] = [];
  let top = 0;
  for (const { title, graphs } of sections) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y: top, w: 24, h: 1 },
    });
    for (const [at, graph] of graphs.entries()) {
      const [column, line] = [at % 3, Math.floor(at / 3)];
      const gridPos = { x: column * width, y: top + 1 + line * height, w: width, h: height };
      panels.push({ ...panelOf(graph), id: panels.length + 1, gridPos });
    }
    top += 1 + Math.ceil(graphs.length / 3) * height;
  }
  return panels;
}

const panelOf = ({ title, description, unit, queries, type = "timeseries" }: Graph): Panel => ({
  type,
  title,
  description,
  datasource,
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  targets: queries.map(({ expr, legend }, at) => ({
    refId: String.fromCodePoint(65 + at),
    datasource,
    expr,
    legendFormat: legend,
  })),
});

export const dashboard: Dashboard = {
  uid: "delphix-operator",
  title: "Delphix virtual databases",
  description: "Databases, actions, DCT and storage as the Delphix operator sees them.",
  tags: ["delphix", "postgresql", "kubernetes"],
  schemaVersion: 39,
  editable: true,
  refresh: "30s",
  time: { from: "now-6h", to: "now" },
  templating: {
    list: [
      { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" },
      {
        name: "namespace",
        label: "Namespace",
        type: "query",
        datasource,
        query: "label_values(delphix_vdb_phase, namespace)",
        refresh: VariableRefresh.onTimeRangeChanged,
        includeAll: true,
        multi: true,
        allValue: ".*",
        current: { text: "All", value: "$__all" },
      },
    ],
  },
  panels: panelsOf(),
};
