-- Makes the database and the two logins of the service, for sqlcmd; may be run again, changes nothing then.
--   $(PassNumeriquePassword)          password of pass_numerique, who serves: reads and writes rows, no more
--   $(PassNumeriqueMigratorPassword)  password of pass_numerique_migrator, who also creates tables
-- sqlcmd takes both from its environment. They may not hold a quote or a dollar sign.
-- On Azure SQL, and in an availability group, see runbooks/failover.md: logins are made otherwise there.
SET NOCOUNT ON;
GO
-- Codes and ids are compared by their bytes: a database that ignores case would take two codes for one.
IF DB_ID(N'PassNumerique') IS NULL
    CREATE DATABASE PassNumerique COLLATE Latin1_General_100_BIN2;
GO
IF CONVERT(sysname, DATABASEPROPERTYEX(N'PassNumerique', N'Collation')) <> N'Latin1_General_100_BIN2'
    THROW 50001, N'The database PassNumerique exists with another collation than Latin1_General_100_BIN2.', 1;
GO
-- Readers see the last committed row and never wait for a writer; the sealer reads all tables as of one moment.
-- Setting the first one takes the database for itself, so it is done once, before anybody is connected.
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'PassNumerique' AND is_read_committed_snapshot_on = 0)
    ALTER DATABASE PassNumerique SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE;
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'PassNumerique' AND snapshot_isolation_state = 0)
    ALTER DATABASE PassNumerique SET ALLOW_SNAPSHOT_ISOLATION ON;
-- An answer means that it is on the disc; torn pages are found; the log can be backed up to any moment.
ALTER DATABASE PassNumerique SET DELAYED_DURABILITY = DISABLED;
ALTER DATABASE PassNumerique SET PAGE_VERIFY CHECKSUM;
ALTER DATABASE PassNumerique SET RECOVERY FULL;
ALTER DATABASE PassNumerique SET QUERY_STORE = ON;
GO
IF SUSER_ID(N'pass_numerique') IS NULL
    CREATE LOGIN pass_numerique WITH PASSWORD = N'$(PassNumeriquePassword)';
IF SUSER_ID(N'pass_numerique_migrator') IS NULL
    CREATE LOGIN pass_numerique_migrator WITH PASSWORD = N'$(PassNumeriqueMigratorPassword)';
GO
USE PassNumerique;
GO
IF DATABASE_PRINCIPAL_ID(N'pass_numerique') IS NULL
    CREATE USER pass_numerique FOR LOGIN pass_numerique;
IF DATABASE_PRINCIPAL_ID(N'pass_numerique_migrator') IS NULL
    CREATE USER pass_numerique_migrator FOR LOGIN pass_numerique_migrator;
GO
ALTER ROLE db_datareader ADD MEMBER pass_numerique;
ALTER ROLE db_datawriter ADD MEMBER pass_numerique;
ALTER ROLE db_datareader ADD MEMBER pass_numerique_migrator;
ALTER ROLE db_datawriter ADD MEMBER pass_numerique_migrator;
ALTER ROLE db_ddladmin ADD MEMBER pass_numerique_migrator;
GO
-- People with a query tool: the readable views, nothing else. Put their own users into this role.
IF SCHEMA_ID(N'readable') IS NULL
    EXECUTE (N'CREATE SCHEMA readable AUTHORIZATION dbo');
IF DATABASE_PRINCIPAL_ID(N'pass_numerique_reader') IS NULL
    CREATE ROLE pass_numerique_reader AUTHORIZATION dbo;
GRANT SELECT ON SCHEMA::readable TO pass_numerique_reader;
GO
