-- AlterTable
ALTER TABLE "session" ADD COLUMN     "manifest" JSONB;

-- CreateTable
CREATE TABLE "preset" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "author" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "version" INTEGER NOT NULL DEFAULT 1,
    "entries" JSONB NOT NULL,

    CONSTRAINT "preset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "hardware_state" (
    "runId" UUID NOT NULL,
    "time" BIGINT NOT NULL,
    "entries" BYTEA NOT NULL,

    CONSTRAINT "hardware_state_pkey" PRIMARY KEY ("runId")
);

-- CreateTable
CREATE TABLE "state_projection" (
    "generation" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "fittedTo" INTEGER NOT NULL DEFAULT 0,
    "complete" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "state_projection_pkey" PRIMARY KEY ("generation")
);

-- CreateTable
CREATE TABLE "state_scale" (
    "generation" INTEGER NOT NULL,
    "parameterKey" INTEGER NOT NULL,
    "slot" INTEGER NOT NULL,
    "center" DOUBLE PRECISION NOT NULL,
    "spread" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "state_scale_pkey" PRIMARY KEY ("generation","parameterKey")
);

-- CreateTable
CREATE TABLE "state_vector" (
    "generation" INTEGER NOT NULL,
    "runId" UUID NOT NULL,
    "vector" vector(512) NOT NULL,
    "mask" BIT(512) NOT NULL,

    CONSTRAINT "state_vector_pkey" PRIMARY KEY ("generation","runId")
);

-- CreateIndex
CREATE UNIQUE INDEX "preset_name_key" ON "preset"("name");

-- CreateIndex
CREATE INDEX "hardware_state_time_idx" ON "hardware_state"("time");

-- CreateIndex
CREATE INDEX "state_vector_runId_idx" ON "state_vector"("runId");

-- AddForeignKey
ALTER TABLE "hardware_state" ADD CONSTRAINT "hardware_state_runId_fkey" FOREIGN KEY ("runId") REFERENCES "run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "state_scale" ADD CONSTRAINT "state_scale_generation_fkey" FOREIGN KEY ("generation") REFERENCES "state_projection"("generation") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "state_scale" ADD CONSTRAINT "state_scale_parameterKey_fkey" FOREIGN KEY ("parameterKey") REFERENCES "parameter"("key") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "state_vector" ADD CONSTRAINT "state_vector_generation_fkey" FOREIGN KEY ("generation") REFERENCES "state_projection"("generation") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "state_vector" ADD CONSTRAINT "state_vector_runId_fkey" FOREIGN KEY ("runId") REFERENCES "hardware_state"("runId") ON DELETE CASCADE ON UPDATE CASCADE;

-- Two kilobytes are just above what PostgreSQL leaves in the row; out of it, a scan of all vectors would read each twice.
ALTER TABLE "state_vector" ALTER COLUMN "vector" SET STORAGE PLAIN;
-- Measured values hardly compress.
ALTER TABLE "hardware_state" ALTER COLUMN "entries" SET STORAGE EXTERNAL;

-- The embedded database (PGlite, built with Emscripten) searches exactly: building the index there would take longer than it ever saves.
DO $$
BEGIN
    IF version() NOT LIKE '%emscripten%' THEN
        CREATE INDEX "state_vector_hnsw" ON "state_vector" USING hnsw ("vector" vector_l2_ops);
    END IF;
END
$$;
