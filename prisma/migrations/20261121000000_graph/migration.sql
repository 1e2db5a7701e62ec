-- CreateTable
CREATE TABLE "graph_change" (
    "subject" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "version" BIGINT NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "graph_change_pkey" PRIMARY KEY ("subject","id")
);

-- CreateTable
CREATE TABLE "graph_standing" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "graphId" UUID NOT NULL,
    "sequence" BIGINT NOT NULL,

    CONSTRAINT "graph_standing_pkey" PRIMARY KEY ("id")
);

-- What follows Prisma's schema cannot say.

-- Every change of what the graph is made of is noted in its own transaction: no notification that is lost, and no death of the projector, loses one.
CREATE SEQUENCE "graph_change_version" AS BIGINT OWNED BY "graph_change"."version";

-- Arguments: the subject, and the column of its id. A row that goes over to another subject changes both.
CREATE FUNCTION note_for_graph() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO "graph_change" ("subject", "id", "version")
    SELECT TG_ARGV[0], subject."id", nextval('graph_change_version') FROM (
        SELECT to_jsonb(NEW) ->> TG_ARGV[1] AS "id" WHERE TG_OP <> 'DELETE'
        UNION
        SELECT to_jsonb(OLD) ->> TG_ARGV[1] WHERE TG_OP <> 'INSERT'
    ) AS subject
    ON CONFLICT ("subject", "id") DO UPDATE SET "version" = excluded."version";
    PERFORM pg_notify('kymograph', 'graph:changed');
    RETURN NULL;
END
$$;

CREATE TRIGGER "station_graph" AFTER INSERT OR DELETE OR UPDATE OF "name", "host" ON "station"
    FOR EACH ROW EXECUTE FUNCTION note_for_graph('station', 'id');
CREATE TRIGGER "port_graph" AFTER INSERT OR DELETE OR UPDATE OF "stationId", "address", "kind" ON "port"
    FOR EACH ROW EXECUTE FUNCTION note_for_graph('port', 'id');
CREATE TRIGGER "device_graph" AFTER INSERT OR DELETE
    OR UPDATE OF "name", "label", "driverId", "portId", "subAddress", "simulated", "enabled", "removedAt" ON "device"
    FOR EACH ROW EXECUTE FUNCTION note_for_graph('device', 'id');
CREATE TRIGGER "session_graph" AFTER INSERT OR DELETE OR UPDATE OF "title", "operator", "state", "startedAt", "endedAt" ON "session"
    FOR EACH ROW EXECUTE FUNCTION note_for_graph('session', 'id');
CREATE TRIGGER "run_device_graph" AFTER INSERT OR DELETE OR UPDATE ON "run_device"
    FOR EACH ROW EXECUTE FUNCTION note_for_graph('run', 'runId');

-- These rows are written again and again with the same values: at each connection of a device, at each progress of a run.
CREATE TRIGGER "parameter_graph" AFTER INSERT OR DELETE ON "parameter"
    FOR EACH ROW EXECUTE FUNCTION note_for_graph('device', 'deviceId');
CREATE TRIGGER "parameter_graph_update" AFTER UPDATE ON "parameter" FOR EACH ROW
    WHEN ((OLD."deviceId", OLD."name", OLD."spec") IS DISTINCT FROM (NEW."deviceId", NEW."name", NEW."spec"))
    EXECUTE FUNCTION note_for_graph('device', 'deviceId');
CREATE TRIGGER "run_graph" AFTER INSERT OR DELETE ON "run"
    FOR EACH ROW EXECUTE FUNCTION note_for_graph('run', 'id');
CREATE TRIGGER "run_graph_update" AFTER UPDATE ON "run" FOR EACH ROW
    WHEN ((OLD."number", OLD."sessionId", OLD."stationId", OLD."planType", OLD."summary", OLD."state", OLD."actor", OLD."queuedAt", OLD."startedAt", OLD."endedAt")
        IS DISTINCT FROM
        (NEW."number", NEW."sessionId", NEW."stationId", NEW."planType", NEW."summary", NEW."state", NEW."actor", NEW."queuedAt", NEW."startedAt", NEW."endedAt"))
    EXECUTE FUNCTION note_for_graph('run', 'id');
