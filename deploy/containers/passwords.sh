#!/bin/sh
# In the container of the database, when it is made: the two roles of roles.sql get the passwords of their files, which
# are in no list of processes meanwhile.
set -eu
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" <<'SQL'
\set owner `cat /run/secrets/owner`
\set web `cat /run/secrets/web`
ALTER ROLE countersign_owner PASSWORD :'owner';
ALTER ROLE countersign_web PASSWORD :'web';
SQL
