-- The account of the MLflow server and its two databases. Safe to say again: that is how its password is changed.
-- The password comes from a file, never from the environment.
\set password `cat "$MLFLOW_DATABASE_PASSWORD_FILE"`
select 'create role mlflow login' where not exists (select from pg_roles where rolname = 'mlflow') \gexec
alter role mlflow password :'password';
select 'create database ' || name || ' owner mlflow' from (values ('registry'), ('accounts')) as wanted (name)
where not exists (select from pg_database where datname = name) \gexec
revoke connect on database registry, accounts from public;
