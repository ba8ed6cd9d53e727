-- The roles of the portal and its database, as a superuser: psql -f roles.sql. It may run again. Nobody has a password
-- afterwards who had none: `install.sh` draws them, or \password gives them.
--
-- countersign_owner owns the tables: `migrate` and `databaseroles` run as it, and nothing that serves.
-- countersign_web serves: it adds to the history and cannot change it. `databaseroles` says what it may do.
-- countersign_reads is for reports: it changes nothing, and does not read what proves who somebody is.
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', name)
  FROM unnest(ARRAY['countersign_owner', 'countersign_web', 'countersign_reads']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

SELECT 'CREATE DATABASE countersign OWNER countersign_owner ENCODING ''UTF8'' TEMPLATE template0'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'countersign') \gexec

REVOKE ALL ON DATABASE countersign FROM PUBLIC;
\connect countersign
ALTER SCHEMA public OWNER TO countersign_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
