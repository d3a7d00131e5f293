#!/usr/bin/env bash
# The tour of README.md with the AWS CLI. Usage: tour.sh NAME ROLE_ARN
set -euo pipefail
name=$1 role=$2 here=$(dirname "$0")
input='{"userName":"ada","言葉":"こんにちは"}'
# Without this the host of start-sync-execution would be `sync-127.0.0.1`.
export AWS_DISABLE_HOST_PREFIX_INJECTION=true AWS_PAGER=

sfn() { aws stepfunctions "$@"; }
create() {
  sfn create-state-machine --name "$name-$1" --type "$1" --role-arn "$role" \
    --definition "file://$here/machine.asl.json" --query stateMachineArn --output text
}
is_gone() { ! sfn describe-state-machine --state-machine-arn "$1" 2>&1 | grep -vq StateMachineDoesNotExist; }

standard=$(create STANDARD)
express=$(create EXPRESS)
execution=$(sfn start-execution --state-machine-arn "$standard" --name first --input "$input" \
  --query executionArn --output text)
while described=$(sfn describe-execution --execution-arn "$execution"); do
  case $described in *'"status": "RUNNING"'*) sleep 0.05 ;; *) break ;; esac
done
events=$(sfn get-execution-history --execution-arn "$execution" --page-size 4 --query 'events[].type')
synced=$(sfn start-sync-execution --state-machine-arn "$express" --input "$input")
listed=$(sfn list-state-machines --query 'stateMachines[].stateMachineArn')
for arn in "$standard" "$express"; do sfn delete-state-machine --state-machine-arn "$arn"; done
gone=$(is_gone "$standard" && is_gone "$express" && echo true || echo false)
DESCRIBED=$described EVENTS=$events SYNCED=$synced LISTED=$listed GONE=$gone python3 - "$standard" "$express" <<'PYTHON'
import json, os, sys
described, events, synced, listed, gone = (
    json.loads(os.environ[name]) for name in ("DESCRIBED", "EVENTS", "SYNCED", "LISTED", "GONE")
)
print(json.dumps({
    "status": described["status"],
    "output": described["output"],
    "waitedSeconds": int(described["stopDate"] - described["startDate"]),
    "events": events,
    "syncStatus": synced["status"],
    "syncOutput": synced["output"],
    "listed": set(sys.argv[1:]) <= set(listed),
    "gone": gone,
}))
PYTHON
