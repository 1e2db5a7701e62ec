-- AlterTable
ALTER TABLE "parameter" ADD COLUMN     "pastUnits" JSONB NOT NULL DEFAULT '[]';
