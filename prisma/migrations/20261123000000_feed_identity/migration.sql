-- CreateTable
CREATE TABLE "feed" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "identity" UUID NOT NULL DEFAULT gen_random_uuid(),

    CONSTRAINT "feed_pkey" PRIMARY KEY ("id")
);

INSERT INTO "feed" DEFAULT VALUES;
