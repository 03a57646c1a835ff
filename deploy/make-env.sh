#!/bin/sh
# Write deploy/.env: deploy/env.example with every empty secret made up. Never touches one that is there.
set -eu
cd "$(dirname "$0")"
target=${1:-.env}
[ ! -e "$target" ] || { echo "$target exists already: edit it, or move it away." >&2; exit 1; }
umask 077
while IFS= read -r line; do
    case $line in
        OTKLIK_AIRFLOW_FERNET_KEY=) line=$line$(openssl rand -base64 32 | tr '+/' '-_') ;;
        OTKLIK_*_PASSWORD= | OTKLIK_*_KEY= | OTKLIK_*_SECRET=) line=$line$(openssl rand -hex 32) ;;
        OTKLIK_FIRST_NIGHT=) line=$line$(date +%Y-%m-%d) ;;
    esac
    printf '%s\n' "$line"
done < env.example > "$target"
connections=$(dirname "$target")/connections.yaml
[ -e "$connections" ] || echo '{}' > "$connections"
echo "Made $target; set OTKLIK_INBOX and OTKLIK_MAPPINGS in it. Outside systems go into $connections."
