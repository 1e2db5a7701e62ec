-- pgvector stands in every profile from the first migration on, so that a server without it is refused at once.
CREATE EXTENSION IF NOT EXISTS vector;

-- CreateTable
CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "secretHash" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(6),
    "revokedAt" TIMESTAMPTZ(6),
    "lastUsedAt" TIMESTAMPTZ(6),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "dataset" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "sessionId" UUID,
    "runId" UUID,
    "deviceId" UUID,
    "stationId" UUID NOT NULL,
    "axes" TEXT[],
    "signals" TEXT[],
    "shape" INTEGER[],
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completedAt" TIMESTAMPTZ(6),
    "rows" BIGINT NOT NULL DEFAULT 0,
    "bytes" BIGINT NOT NULL DEFAULT 0,
    "dropped" BIGINT NOT NULL DEFAULT 0,
    "columns" JSONB NOT NULL,
    "sha256" TEXT,
    "folder" TEXT NOT NULL,
    "files" JSONB NOT NULL,

    CONSTRAINT "dataset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "station" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "linkAddress" TEXT,
    "epoch" INTEGER NOT NULL DEFAULT 0,
    "startedAt" TIMESTAMPTZ(6),
    "lastSeen" TIMESTAMPTZ(6),
    "version" TEXT,
    "queueHeld" BOOLEAN NOT NULL DEFAULT false,
    "queueReason" TEXT,
    "stopActive" BOOLEAN NOT NULL DEFAULT false,
    "stopBy" TEXT,
    "stopReason" TEXT,
    "stopAt" TIMESTAMPTZ(6),
    "journalSequence" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "station_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "port" (
    "id" UUID NOT NULL,
    "stationId" UUID NOT NULL,
    "address" TEXT NOT NULL,
    "kind" TEXT NOT NULL,

    CONSTRAINT "port_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "device" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "label" TEXT,
    "driverId" TEXT NOT NULL,
    "stationId" UUID NOT NULL,
    "portId" UUID NOT NULL,
    "subAddress" TEXT,
    "settings" JSONB NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "version" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "removedAt" TIMESTAMPTZ(6),

    CONSTRAINT "device_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "parameter" (
    "key" SERIAL NOT NULL,
    "deviceId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "spec" JSONB NOT NULL,

    CONSTRAINT "parameter_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "sample" (
    "parameterKey" INTEGER NOT NULL,
    "time" BIGINT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "quality" SMALLINT NOT NULL,
    "number" DOUBLE PRECISION,
    "text" TEXT,
    "boolean" BOOLEAN,
    "list" DOUBLE PRECISION[],

    CONSTRAINT "sample_pkey" PRIMARY KEY ("parameterKey","time","sequence")
);

-- CreateTable
CREATE TABLE "parameter_change" (
    "id" UUID NOT NULL,
    "parameterKey" INTEGER NOT NULL,
    "time" BIGINT NOT NULL,
    "old" JSONB,
    "new" JSONB NOT NULL,
    "cause" JSONB NOT NULL,

    CONSTRAINT "parameter_change_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "id" BIGINT NOT NULL,
    "time" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "subjectType" TEXT,
    "subjectId" TEXT,
    "deviceId" TEXT,
    "sessionId" TEXT,
    "runId" TEXT,
    "summary" TEXT NOT NULL,
    "cause" JSONB,
    "data" JSONB,

    CONSTRAINT "event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job" (
    "id" UUID NOT NULL,
    "queue" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'WAITING',
    "progress" DOUBLE PRECISION,
    "progressText" TEXT,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(6),
    "finishedAt" TIMESTAMPTZ(6),
    "requestedBy" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "problem" JSONB,
    "log" TEXT[],
    "cancelReason" TEXT,
    "idempotencyKey" TEXT,

    CONSTRAINT "job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "export" (
    "id" UUID NOT NULL,
    "jobId" UUID NOT NULL,
    "format" TEXT NOT NULL,
    "datasetIds" TEXT[],
    "folder" TEXT NOT NULL,
    "files" JSONB NOT NULL,
    "manifest" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(6),

    CONSTRAINT "export_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "sessionId" UUID NOT NULL,
    "stationId" UUID NOT NULL,
    "plan" JSONB NOT NULL,
    "planType" TEXT NOT NULL,
    "summary" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'QUEUED',
    "fence" INTEGER NOT NULL DEFAULT 0,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "actor" TEXT NOT NULL,
    "metadata" JSONB,
    "tags" TEXT[],
    "queuedAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startBefore" TIMESTAMPTZ(6),
    "startedAt" TIMESTAMPTZ(6),
    "endedAt" TIMESTAMPTZ(6),
    "points" INTEGER NOT NULL DEFAULT 0,
    "totalPoints" INTEGER,
    "exitReason" TEXT,
    "problem" JSONB,
    "manifest" JSONB,
    "abortReason" TEXT,
    "idempotencyKey" TEXT,
    "jobId" UUID,

    CONSTRAINT "run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run_device" (
    "runId" UUID NOT NULL,
    "deviceId" UUID NOT NULL,
    "role" TEXT NOT NULL,

    CONSTRAINT "run_device_pkey" PRIMARY KEY ("runId","role","deviceId")
);

-- CreateTable
CREATE TABLE "session" (
    "id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "operator" TEXT NOT NULL,
    "startedAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endedAt" TIMESTAMPTZ(6),
    "state" TEXT NOT NULL DEFAULT 'OPEN',
    "tags" TEXT[],
    "metadata" JSONB,
    "summary" TEXT,

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "note" (
    "id" UUID NOT NULL,
    "sessionId" UUID,
    "runId" UUID,
    "datasetId" UUID,
    "time" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "author" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "tags" TEXT[],
    "attachments" TEXT[],

    CONSTRAINT "note_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_key_secretHash_key" ON "api_key"("secretHash");

-- CreateIndex
CREATE INDEX "dataset_createdAt_id_idx" ON "dataset"("createdAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "dataset_runId_idx" ON "dataset"("runId");

-- CreateIndex
CREATE INDEX "dataset_sessionId_idx" ON "dataset"("sessionId");

-- CreateIndex
CREATE UNIQUE INDEX "station_name_key" ON "station"("name");

-- CreateIndex
CREATE UNIQUE INDEX "port_stationId_address_key" ON "port"("stationId", "address");

-- CreateIndex
CREATE INDEX "device_stationId_idx" ON "device"("stationId");

-- CreateIndex
CREATE INDEX "device_name_id_idx" ON "device"("name", "id");

-- CreateIndex
CREATE UNIQUE INDEX "parameter_deviceId_name_key" ON "parameter"("deviceId", "name");

-- CreateIndex
CREATE INDEX "parameter_change_parameterKey_time_id_idx" ON "parameter_change"("parameterKey", "time" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "event_kind_id_idx" ON "event"("kind", "id");

-- CreateIndex
CREATE INDEX "job_createdAt_id_idx" ON "job"("createdAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "job_queue_state_idx" ON "job"("queue", "state");

-- CreateIndex
CREATE UNIQUE INDEX "job_requestedBy_idempotencyKey_key" ON "job"("requestedBy", "idempotencyKey");

-- CreateIndex
CREATE UNIQUE INDEX "export_jobId_key" ON "export"("jobId");

-- CreateIndex
CREATE UNIQUE INDEX "run_number_key" ON "run"("number");

-- CreateIndex
CREATE UNIQUE INDEX "run_jobId_key" ON "run"("jobId");

-- CreateIndex
CREATE INDEX "run_stationId_state_idx" ON "run"("stationId", "state");

-- CreateIndex
CREATE INDEX "run_queuedAt_id_idx" ON "run"("queuedAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "run_sessionId_idx" ON "run"("sessionId");

-- CreateIndex
CREATE UNIQUE INDEX "run_actor_idempotencyKey_key" ON "run"("actor", "idempotencyKey");

-- CreateIndex
CREATE INDEX "run_device_deviceId_idx" ON "run_device"("deviceId");

-- CreateIndex
CREATE INDEX "session_startedAt_id_idx" ON "session"("startedAt" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "session_operator_state_idx" ON "session"("operator", "state");

-- CreateIndex
CREATE INDEX "note_sessionId_idx" ON "note"("sessionId");

-- AddForeignKey
ALTER TABLE "dataset" ADD CONSTRAINT "dataset_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "session"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dataset" ADD CONSTRAINT "dataset_runId_fkey" FOREIGN KEY ("runId") REFERENCES "run"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dataset" ADD CONSTRAINT "dataset_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "device"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "dataset" ADD CONSTRAINT "dataset_stationId_fkey" FOREIGN KEY ("stationId") REFERENCES "station"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "port" ADD CONSTRAINT "port_stationId_fkey" FOREIGN KEY ("stationId") REFERENCES "station"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device" ADD CONSTRAINT "device_stationId_fkey" FOREIGN KEY ("stationId") REFERENCES "station"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device" ADD CONSTRAINT "device_portId_fkey" FOREIGN KEY ("portId") REFERENCES "port"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "parameter" ADD CONSTRAINT "parameter_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "device"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sample" ADD CONSTRAINT "sample_parameterKey_fkey" FOREIGN KEY ("parameterKey") REFERENCES "parameter"("key") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "parameter_change" ADD CONSTRAINT "parameter_change_parameterKey_fkey" FOREIGN KEY ("parameterKey") REFERENCES "parameter"("key") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "export" ADD CONSTRAINT "export_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "job"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "session"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_stationId_fkey" FOREIGN KEY ("stationId") REFERENCES "station"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "job"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_device" ADD CONSTRAINT "run_device_runId_fkey" FOREIGN KEY ("runId") REFERENCES "run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_device" ADD CONSTRAINT "run_device_deviceId_fkey" FOREIGN KEY ("deviceId") REFERENCES "device"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "note" ADD CONSTRAINT "note_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "session"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "note" ADD CONSTRAINT "note_runId_fkey" FOREIGN KEY ("runId") REFERENCES "run"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "note" ADD CONSTRAINT "note_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "dataset"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- A name is free again once its device is removed. Prisma's schema cannot say this.
CREATE UNIQUE INDEX "device_name_key" ON "device"("name") WHERE "removedAt" IS NULL;

-- Every change of these rows is told on one channel as <table>:<id>, after its commit and at most once per transaction. The truth stays in the rows.
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kymograph', TG_TABLE_NAME || ':' || coalesce(NEW."id", OLD."id"));
    RETURN NULL;
END
$$;

CREATE TRIGGER "run_notify" AFTER INSERT OR UPDATE OR DELETE ON "run" FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER "job_notify" AFTER INSERT OR UPDATE OR DELETE ON "job" FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER "dataset_notify" AFTER INSERT OR UPDATE OR DELETE ON "dataset" FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER "session_notify" AFTER INSERT OR UPDATE OR DELETE ON "session" FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER "device_notify" AFTER INSERT OR UPDATE OR DELETE ON "device" FOR EACH ROW EXECUTE FUNCTION notify_change();

-- Not for "lastSeen" and "journalSequence": these beat several times a second.
CREATE TRIGGER "station_notify" AFTER INSERT OR DELETE
    OR UPDATE OF "name", "host", "linkAddress", "epoch", "startedAt", "version", "queueHeld", "queueReason", "stopActive", "stopBy", "stopReason", "stopAt"
    ON "station" FOR EACH ROW EXECUTE FUNCTION notify_change();

-- The lock is held until the commit, so ids become visible in their order: a reader that goes on from an id misses nothing.
CREATE SEQUENCE "event_id" AS BIGINT OWNED BY "event"."id";

CREATE FUNCTION append_events(events jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('append_events'));
    WITH given AS (
        SELECT * FROM ROWS FROM (jsonb_to_recordset(events) AS (
            "time" bigint, "kind" text, "subjectType" text, "subjectId" text, "deviceId" text, "sessionId" text, "runId" text,
            "summary" text, "cause" jsonb, "data" jsonb
        )) WITH ORDINALITY AS e ORDER BY "ordinality"
    ), inserted AS (
        INSERT INTO "event" ("id", "time", "kind", "subjectType", "subjectId", "deviceId", "sessionId", "runId", "summary", "cause", "data")
        SELECT nextval('event_id'), "time", "kind", "subjectType", "subjectId", "deviceId", "sessionId", "runId", "summary", "cause", "data" FROM given
        RETURNING "id"
    )
    SELECT max("id") INTO last_id FROM inserted;
    IF last_id IS NOT NULL THEN
        PERFORM pg_notify('kymograph', 'event:' || last_id);
    END IF;
    RETURN last_id;
END
$$;
