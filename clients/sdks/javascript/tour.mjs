// The tour of ../README.md with the AWS SDK for JavaScript. Usage: node tour.mjs NAME ROLE_ARN
import { readFileSync } from "node:fs";
import {
  SFNClient, CreateStateMachineCommand, DeleteStateMachineCommand, DescribeExecutionCommand,
  DescribeStateMachineCommand, StartExecutionCommand, StartSyncExecutionCommand,
  StateMachineDoesNotExist, paginateGetExecutionHistory, paginateListStateMachines,
} from "@aws-sdk/client-sfn";

const [name, roleArn] = process.argv.slice(2);
const definition = readFileSync(new URL("../machine.asl.json", import.meta.url), "utf8");
const input = JSON.stringify({ userName: "ada", "言葉": "こんにちは" });
// Without this the host of StartSyncExecution would be `sync-127.0.0.1`.
const sfn = new SFNClient({ disableHostPrefix: true });

async function create(type) {
  const machine = { name: `${name}-${type}`, type, definition, roleArn };
  return (await sfn.send(new CreateStateMachineCommand(machine))).stateMachineArn;
}

async function ended(executionArn) {
  for (;;) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== "RUNNING") return execution;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function collect(pages, key) {
  const found = [];
  for await (const page of pages) found.push(...page[key]);
  return found;
}

async function isGone(stateMachineArn) {
  try {
    await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
    return false;
  } catch (error) {
    return error instanceof StateMachineDoesNotExist;
  }
}

const standard = await create("STANDARD");
const express = await create("EXPRESS");
const start = new StartExecutionCommand({ stateMachineArn: standard, name: "first", input });
const execution = await ended((await sfn.send(start)).executionArn);
const history = { executionArn: execution.executionArn, maxResults: 4 };
const events = await collect(paginateGetExecutionHistory({ client: sfn }, history), "events");
const sync = await sfn.send(new StartSyncExecutionCommand({ stateMachineArn: express, input }));
const listed = await collect(paginateListStateMachines({ client: sfn }, {}), "stateMachines");
for (const stateMachineArn of [standard, express]) {
  await sfn.send(new DeleteStateMachineCommand({ stateMachineArn }));
}
const ran = execution.stopDate - execution.startDate;
console.log(JSON.stringify({
  status: execution.status,
  output: execution.output,
  waitedSeconds: Math.floor(ran / 1000),
  events: events.map((event) => event.type),
  syncStatus: sync.status,
  syncOutput: sync.output,
  listed: [standard, express].every((arn) => listed.some((machine) => machine.stateMachineArn === arn)),
  gone: (await isGone(standard)) && (await isGone(express)),
}));
