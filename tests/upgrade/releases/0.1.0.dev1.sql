
PRAGMA page_size=4096;

BEGIN TRANSACTION;

DROP TABLE IF EXISTS act;
CREATE TABLE act (
  no      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  who     TEXT NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail  TEXT NOT NULL
) STRICT;
INSERT INTO act VALUES(1,1785585662761,'ada','cancelled it','01a22c68-2959-7083-b160-c298adc591f7','');
CREATE INDEX act_subject ON act (subject);

DROP TABLE IF EXISTS claim;
CREATE TABLE claim (
  no          INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL
) STRICT;
INSERT INTO claim VALUES(1,'01a22c68-2757-78e0-a743-9870d6041363','52240721d0f89910f8dc317d9154e0ae2b35881ddf18f3da01eaadac527805d0');
INSERT INTO claim VALUES(2,'01a22c68-27e5-70dd-8773-690a0ef9b1de','f61799a0a3f1c57a09b53fda2a621f755f9b8895ca3e537a279a00c522108c9f');
INSERT INTO claim VALUES(3,'01a22c68-28d1-706f-8897-1963d67056f6','40ae9a48683d9a46138c8625bf275066865264c72bdc4c316e4553eaa0594b9b');
INSERT INTO claim VALUES(4,'child:01a22c68-28d1-706f-8897-1963d67056f6-1','e33590e412345544be013271bd57a8fefbe9da4758ebe6de21ccf344e5c51865');
INSERT INTO claim VALUES(5,'01a22c68-2959-7a48-9aca-e11cc9fae816','1c6a2eef9f0763960601e536419fa119367fdbdc50e2c9c730cb4ef40ee23e64');
INSERT INTO claim VALUES(6,'01a22c68-2959-7013-aa5b-3c015c3dc63f','f82404825f3dbf688f34d20c85fed9037b5167b94a5c2a97034f8b75ccf10271');
INSERT INTO claim VALUES(7,'01a22c68-2959-7083-b160-c298adc591f7','677c32606f5041addac2b87d9cf84b61397290f954ca24d2db5d17d803f2e594');
INSERT INTO claim VALUES(8,'01a22c68-2959-7811-89b4-d70fb307e853','fd95c2d76a2e8741ce5ecf72f5f01c45fd52383fea0777f160f8f2124747aed6');
INSERT INTO claim VALUES(9,'01a22c68-2959-7a75-96cc-461d36732f58','e77fa883c0914c9edca8a33cff598fe61e68ecb34fc9ebc40398cecebdaf7fcc');
INSERT INTO claim VALUES(10,'01a22c68-2ba8-76ad-bcb7-5323a5123b4f','88a1fd411239d29143d643a736bbf93cb373c2176dc49bc1e948f21b410a7416');
INSERT INTO claim VALUES(11,'01a22c68-2bdc-76da-8617-708eba08cd62','699cc35bfe42fb29b2c7e56d8a3358514880a5f80639443e68c6488306594411');
INSERT INTO claim VALUES(12,'01a22c68-2c03-75b6-b57b-a2f4be490b48','522fa9ad64cf1222ede5925143de4da5212dece8e7ec3ffb3dba7076154e05d8');
INSERT INTO claim VALUES(13,'01a22c68-2c14-784b-a336-c8f160884a45','a9881dae02c7323789d3a1b552e28af90b8e55c07f17e578f64806ee1c577d06');

DROP TABLE IF EXISTS dead_letter;
CREATE TABLE dead_letter (
  no            INTEGER PRIMARY KEY,
  order_id      TEXT,
  body          BLOB NOT NULL,
  attributes    TEXT NOT NULL,
  sent_at       INTEGER NOT NULL,
  died_at       INTEGER NOT NULL,
  receive_count INTEGER NOT NULL,
  deliveries    INTEGER NOT NULL,
  reason        TEXT NOT NULL
) STRICT;
INSERT INTO dead_letter VALUES(8,'01a22c68-2a0b-760a-b64b-35833cfa1e92',X'6E6F6E73656E7365','{"order_id":"01a22c68-2a0b-760a-b64b-35833cfa1e92"}',1785585662761,1785585666761,3,3,'OrderInvalid: The order cannot be accepted as it is: the message is no JSON: JSON is malformed: invalid character (byte 4).');
CREATE INDEX dead_letter_order ON dead_letter (order_id) WHERE order_id IS NOT NULL;

DROP TABLE IF EXISTS definition;
CREATE TABLE definition (
  no         INTEGER PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,
  body       TEXT NOT NULL,
  first_used INTEGER NOT NULL
) STRICT;
INSERT INTO definition VALUES(1,'2fcd2fdb5d3530dae636ca4430bd77e8df0cf4d6a12af3942f15a9ffc87aed54','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"InitializeOrder","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Comment":"Hands the order over under the key {id}/restaurant. A refusal is a value; an unknown result is an error.","Resource":"SendOrderToRestaurant","TimeoutSeconds":30,"ResultPath":"$.restaurant","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."}}}',1785585600000);
INSERT INTO definition VALUES(2,'76bdb0d17f88675d84911a83750a375e529fe75c8eb30bab312a0f64093dc9da','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"InitializeOrder","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{"FunctionName":"SendOrderToRestaurant","Payload":{"order.$":"$.order","task_token.$":"$$.Task.Token"}},"ResultPath":"$.restaurant","Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1000,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."}}}',1785585631761);
INSERT INTO definition VALUES(3,'0e41d3888dd52e5de199d16a163861c4f4a9fcfcc8c4b70b0799e558e4ae5701','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"Call","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Comment":"Hands the order over under the key {id}/restaurant. A refusal is a value; an unknown result is an error.","Resource":"SendOrderToRestaurant","TimeoutSeconds":30,"ResultPath":"$.restaurant","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1000,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."},"Call":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"child","Input":{"wait":3600}},"ResultPath":null,"Next":"InitializeOrder"}}}',1785585662761);
INSERT INTO definition VALUES(4,'385269be7025277ce802e411757fa9378340bb38b9642bb0e4ae6e4299739169','{"StartAt":"Sit","States":{"Sit":{"Type":"Wait","SecondsPath":"$.wait","End":true}}}',1785585662761);
INSERT INTO definition VALUES(5,'bbfb005b65e2913e1da70982fbe035b7e09ed3ebe5852b159dea05eb8d0f16ed','{"Comment":"The way of an order: save it, take the payment, hold it, hand it to the restaurant, complete it or give the money back. Input: {\"order\": {...}, \"hold_seconds\": 30}; the execution''s name is the order''s id.","StartAt":"InitializeOrder","States":{"InitializeOrder":{"Type":"Task","Comment":"Saves the order as PENDING if it is absent.","Resource":"InitializeOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"ProcessPayment"},"ProcessPayment":{"Type":"Task","Comment":"Charges under the key {id}/charge, unless the customer cancelled. A decline is a value; an unknown result is an error.","Resource":"ProcessPayment","TimeoutSeconds":30,"ResultPath":"$.payment","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"PaymentChoice"},"PaymentChoice":{"Type":"Choice","Comment":"Nothing was taken unless the status is ok.","Choices":[{"Variable":"$.payment.status","StringEquals":"ok","Next":"Hold"}],"Default":"CancelFailedOrder"},"Hold":{"Type":"Wait","Comment":"The customer may cancel.","SecondsPath":"$.hold_seconds","Next":"CloseHold"},"CloseHold":{"Type":"Task","Comment":"Closes the window for cancelling, or reports that the customer cancelled.","Resource":"CloseHold","TimeoutSeconds":30,"ResultPath":"$.hold","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":4,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"HoldChoice"},"HoldChoice":{"Type":"Choice","Comment":"A cancelled order is refunded, any other goes to the restaurant.","Choices":[{"Variable":"$.hold.cancelled","BooleanEquals":true,"Next":"OweRefund"}],"Default":"SendOrderToRestaurant"},"SendOrderToRestaurant":{"Type":"Task","Comment":"Hands the order over under the key {id}/restaurant. A refusal is a value; an unknown result is an error.","Resource":"SendOrderToRestaurant","TimeoutSeconds":30,"ResultPath":"$.restaurant","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":5,"MaxDelaySeconds":30,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OweRefund"}],"Next":"RestaurantChoice"},"RestaurantChoice":{"Type":"Choice","Comment":"The restaurant took it, or the money goes back.","Choices":[{"Variable":"$.restaurant.status","StringEquals":"ok","Next":"CompleteOrder"}],"Default":"OweRefund"},"CompleteOrder":{"Type":"Task","Comment":"SUCCESS, and the customer is told. Never a refund from here: the kitchen cooks.","Resource":"CompleteOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OweRefund":{"Type":"Task","Comment":"Records as REFUND_PENDING what is owed, before the first try, and withdraws a handover with unknown result.","Resource":"OweRefund","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":3,"MaxDelaySeconds":10,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"RefundPayment"}],"Next":"RefundPayment"},"RefundPayment":{"Type":"Task","Comment":"Gives back whatever was charged under {id}/charge, under the key {id}/refund; tried for weeks.","Resource":"RefundPayment","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":1000,"MaxDelaySeconds":3600,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"Next":"CancelFailedOrder"},"CancelFailedOrder":{"Type":"Task","Comment":"CANCELLED if the customer asked for it, else FAILED with the reason, and the customer is told.","Resource":"CancelFailedOrder","TimeoutSeconds":30,"ResultPath":null,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":8,"MaxDelaySeconds":300,"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"OrderNeedsOperator"}],"End":true},"OrderNeedsOperator":{"Type":"Fail","Comment":"Somebody has to look: the order keeps its status, and the alarm means something.","Error":"OrderNeedsOperator","Cause":"A step of the order failed beyond its retries; its timeline says which and why."}}}',1785585662761);

DROP TABLE IF EXISTS execution;
CREATE TABLE execution (
  no         INTEGER PRIMARY KEY REFERENCES claim (no),
  definition INTEGER NOT NULL REFERENCES definition (no),
  status     TEXT NOT NULL,
  due_at     INTEGER,
  busy       INTEGER NOT NULL,
  state      TEXT NOT NULL,
  history    TEXT NOT NULL
) STRICT;
INSERT INTO execution VALUES(1,1,'FAILED',NULL,0,'{"status":"FAILED","frames":{"0":{"last":44}},"events":44,"numbers":9,"started_at":1785585600000,"context":{"Execution":{"Id":"01a22c68-2757-78e0-a743-9870d6041363","Name":"01a22c68-2757-78e0-a743-9870d6041363"},"StateMachine":{"Id":"orders","Name":"orders"}},"error":"OrderNeedsOperator","cause":"A step of the order failed beyond its retries; its timeline says which and why."}','{"type":"Started","at":1785585600000,"seed":6437749806573723586,"input":{"order":{"id":"01a22c68-2757-78e0-a743-9870d6041363","user_id":"needs an operator","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"a@example.com","created_at":1785585600000},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2757-78e0-a743-9870d6041363","Name":"01a22c68-2757-78e0-a743-9870d6041363"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585600000,"seed":5710365010952321541,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585600000,"seed":4392980578058872765,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585630000,"seed":7079641501487328670,"timer":3}
{"type":"TaskSucceeded","at":1785585630000,"seed":6537276632083484827,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585630000,"seed":8831151501583719567,"task":5,"output":{"status":"error","error_message":"The restaurant is closed."}}
{"type":"TaskSucceeded","at":1785585630000,"seed":2813949997949334816,"task":6,"output":{"status":"ok"}}
{"type":"TaskFailed","at":1785585630000,"seed":3220770039438695796,"task":7,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585631761,"seed":2119180481213294576,"timer":8}
{"type":"TaskFailed","at":1785585631761,"seed":5558460323164072858,"task":9,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
');
INSERT INTO execution VALUES(2,2,'RUNNING',253402300800000,0,'{"status":"RUNNING","frames":{"0":{"state":"SendOrderToRestaurant","input":{"order":{"id":"01a22c68-27e5-70dd-8773-690a0ef9b1de","user_id":"waits for a token","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"b@example.com","created_at":1785585631761},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false}},"entered":23,"entered_at":1785585661761,"last":25,"task":5,"seed":6969332528235690798,"size":487}},"events":25,"numbers":5,"started_at":1785585631761,"context":{"Execution":{"Id":"01a22c68-27e5-70dd-8773-690a0ef9b1de","Name":"01a22c68-27e5-70dd-8773-690a0ef9b1de"},"StateMachine":{"Id":"orders","Name":"orders"}},"input":{"order":{"id":"01a22c68-27e5-70dd-8773-690a0ef9b1de","user_id":"waits for a token","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"b@example.com","created_at":1785585631761},"hold_seconds":30}}','{"type":"Started","at":1785585631761,"seed":3651508102096311044,"input":{"order":{"id":"01a22c68-27e5-70dd-8773-690a0ef9b1de","user_id":"waits for a token","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"b@example.com","created_at":1785585631761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-27e5-70dd-8773-690a0ef9b1de","Name":"01a22c68-27e5-70dd-8773-690a0ef9b1de"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585631761,"seed":8663536443620400317,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585631761,"seed":8842643100759068932,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585661761,"seed":2972325653675429235,"timer":3}
{"type":"TaskSucceeded","at":1785585661761,"seed":6969332528235690798,"task":4,"output":{"cancelled":false}}
');
INSERT INTO execution VALUES(3,3,'RUNNING',253402300800000,0,'{"status":"RUNNING","frames":{"0":{"state":"Call","input":{"order":{"id":"01a22c68-28d1-706f-8897-1963d67056f6","user_id":"waits for a nested execution","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":null,"created_at":1785585662761},"hold_seconds":30},"entered":2,"entered_at":1785585662761,"last":4,"task":1,"seed":7004239947722735985,"size":273}},"events":4,"numbers":1,"started_at":1785585662761,"context":{"Execution":{"Id":"01a22c68-28d1-706f-8897-1963d67056f6","Name":"01a22c68-28d1-706f-8897-1963d67056f6"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585662761,"seed":7004239947722735985,"input":{"order":{"id":"01a22c68-28d1-706f-8897-1963d67056f6","user_id":"waits for a nested execution","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":null,"created_at":1785585662761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-28d1-706f-8897-1963d67056f6","Name":"01a22c68-28d1-706f-8897-1963d67056f6"},"StateMachine":{"Id":"orders","Name":"orders"}}}
');
INSERT INTO execution VALUES(4,4,'RUNNING',1785589262761,0,'{"status":"RUNNING","frames":{"0":{"state":"Sit","input":{"wait":3600},"entered":2,"entered_at":1785585662761,"last":2,"timer":1,"due":1785589262761,"size":13}},"events":2,"numbers":1,"started_at":1785585662761,"context":{"Execution":{"Id":"child:01a22c68-28d1-706f-8897-1963d67056f6-1","Name":"01a22c68-28d1-706f-8897-1963d67056f6-1"},"StateMachine":{"Id":"child","Name":"child"}}}','{"type":"Started","at":1785585662761,"seed":4026724658633149162,"input":{"wait":3600},"context":{"Execution":{"Id":"child:01a22c68-28d1-706f-8897-1963d67056f6-1","Name":"01a22c68-28d1-706f-8897-1963d67056f6-1"},"StateMachine":{"Id":"child","Name":"child"}}}
');
INSERT INTO execution VALUES(5,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":35,"started_at":1785585662761,"output":{"order":{"id":"01a22c68-2959-7a48-9aca-e11cc9fae816","user_id":"succeeded","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false},"restaurant":{"status":"ok"}}}','{"type":"Started","at":1785585662761,"seed":7458222634974590280,"input":{"order":{"id":"01a22c68-2959-7a48-9aca-e11cc9fae816","user_id":"succeeded","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2959-7a48-9aca-e11cc9fae816","Name":"01a22c68-2959-7a48-9aca-e11cc9fae816"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662761,"seed":991528607729687873,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662761,"seed":5044697267404165360,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692761,"seed":5763900580499052026,"timer":3}
{"type":"TaskSucceeded","at":1785585692761,"seed":4517996738087223120,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585692761,"seed":4124147345918464815,"task":5,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692761,"seed":3446844861739447985,"task":6,"output":{"status":"SUCCESS"}}
');
INSERT INTO execution VALUES(6,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":19,"started_at":1785585662761,"output":{"order":{"id":"01a22c68-2959-7013-aa5b-3c015c3dc63f","user_id":"declined","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30,"payment":{"status":"error","error_message":"The card was declined."}}}','{"type":"Started","at":1785585662761,"seed":8416042596826875285,"input":{"order":{"id":"01a22c68-2959-7013-aa5b-3c015c3dc63f","user_id":"declined","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2959-7013-aa5b-3c015c3dc63f","Name":"01a22c68-2959-7013-aa5b-3c015c3dc63f"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662761,"seed":8345618985299045143,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662761,"seed":7674041266048446642,"task":2,"output":{"status":"error","error_message":"The card was declined."}}
{"type":"TaskSucceeded","at":1785585662761,"seed":4017170808304206939,"task":3,"output":{"status":"FAILED"}}
');
INSERT INTO execution VALUES(7,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":38,"started_at":1785585662761,"output":{"order":{"id":"01a22c68-2959-7083-b160-c298adc591f7","user_id":"cancelled","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":true}}}','{"type":"Started","at":1785585662761,"seed":8930608243346740800,"input":{"order":{"id":"01a22c68-2959-7083-b160-c298adc591f7","user_id":"cancelled","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2959-7083-b160-c298adc591f7","Name":"01a22c68-2959-7083-b160-c298adc591f7"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662761,"seed":8095551409092074845,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662761,"seed":2642194841961555647,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692761,"seed":8564254845887142308,"timer":3}
{"type":"TaskSucceeded","at":1785585692761,"seed":3506997010692329001,"task":4,"output":{"cancelled":true}}
{"type":"TaskSucceeded","at":1785585692761,"seed":5852082574245594312,"task":5,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692761,"seed":5960594804909116396,"task":6,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692761,"seed":3813382332093090121,"task":7,"output":{"status":"CANCELLED"}}
');
INSERT INTO execution VALUES(8,5,'SUCCEEDED',NULL,0,'{"status":"SUCCEEDED","events":35,"started_at":1785585662761,"output":{"order":{"id":"01a22c68-2959-7811-89b4-d70fb307e853","user_id":"deleted","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false},"restaurant":{"status":"ok"}}}','{"type":"Started","at":1785585662761,"seed":5013508152369220376,"input":{"order":{"id":"01a22c68-2959-7811-89b4-d70fb307e853","user_id":"deleted","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2959-7811-89b4-d70fb307e853","Name":"01a22c68-2959-7811-89b4-d70fb307e853"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662761,"seed":6261427054714939763,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662761,"seed":384894920279460199,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692761,"seed":6062234514100850503,"timer":3}
{"type":"TaskSucceeded","at":1785585692761,"seed":1149859841360837518,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585692761,"seed":6121883337799957366,"task":5,"output":{"status":"ok"}}
{"type":"TaskSucceeded","at":1785585692761,"seed":8860977499802746778,"task":6,"output":{"status":"SUCCESS"}}
');
INSERT INTO execution VALUES(9,5,'RUNNING',1785585705211,0,'{"status":"RUNNING","frames":{"0":{"state":"RefundPayment","input":{"order":{"id":"01a22c68-2959-7a75-96cc-461d36732f58","user_id":"refund pending","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30,"payment":{"status":"ok"},"hold":{"cancelled":false},"restaurant":{"status":"error","error_message":"The restaurant is closed."}},"entered":35,"entered_at":1785585692761,"last":47,"seed":1295945380396579219,"timer":14,"due":1785585705211,"attempt":4,"retries":[4],"size":690}},"events":47,"numbers":14,"started_at":1785585662761,"context":{"Execution":{"Id":"01a22c68-2959-7a75-96cc-461d36732f58","Name":"01a22c68-2959-7a75-96cc-461d36732f58"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585662761,"seed":8236529212110797709,"input":{"order":{"id":"01a22c68-2959-7a75-96cc-461d36732f58","user_id":"refund pending","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"c@example.com","created_at":1785585662761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2959-7a75-96cc-461d36732f58","Name":"01a22c68-2959-7a75-96cc-461d36732f58"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585662761,"seed":1783261775965732850,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585662761,"seed":3307822047186927722,"task":2,"output":{"status":"ok"}}
{"type":"TimerFired","at":1785585692761,"seed":5185320563208477112,"timer":3}
{"type":"TaskSucceeded","at":1785585692761,"seed":5734543183832343890,"task":4,"output":{"cancelled":false}}
{"type":"TaskSucceeded","at":1785585692761,"seed":5382870703292597445,"task":5,"output":{"status":"error","error_message":"The restaurant is closed."}}
{"type":"TaskSucceeded","at":1785585692761,"seed":8149943020143479457,"task":6,"output":{"status":"ok"}}
{"type":"TaskFailed","at":1785585692761,"seed":4874704638348673798,"task":7,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585692972,"seed":7904091249170900135,"timer":8}
{"type":"TaskFailed","at":1785585692972,"seed":8296947225263956876,"task":9,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585696886,"seed":2415758624479239588,"timer":10}
{"type":"TaskFailed","at":1785585696886,"seed":2186836701305524869,"task":11,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
{"type":"TimerFired","at":1785585699576,"seed":1295945380396579219,"timer":12}
{"type":"TaskFailed","at":1785585699576,"seed":6024978428047900440,"task":13,"error":"PaymentUnavailable","cause":"The payment provider''s answer (HTTP 500) settles nothing."}
');
INSERT INTO execution VALUES(10,5,'RUNNING',1785585732761,0,'{"status":"RUNNING","frames":{"0":{"state":"Hold","input":{"order":{"id":"01a22c68-2ba8-76ad-bcb7-5323a5123b4f","user_id":"in its hold","restaurant_id":"Restaurant 4","name":"Ä","items":[{"name":"Ä","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702761},"hold_seconds":30,"payment":{"status":"ok"}},"entered":14,"entered_at":1785585702761,"last":14,"seed":5690218837709665982,"timer":3,"due":1785585732761,"size":386}},"events":14,"numbers":3,"started_at":1785585702761,"context":{"Execution":{"Id":"01a22c68-2ba8-76ad-bcb7-5323a5123b4f","Name":"01a22c68-2ba8-76ad-bcb7-5323a5123b4f"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585702761,"seed":3438326963843877005,"input":{"order":{"id":"01a22c68-2ba8-76ad-bcb7-5323a5123b4f","user_id":"in its hold","restaurant_id":"Restaurant 4","name":"Ä","items":[{"name":"Ä","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2ba8-76ad-bcb7-5323a5123b4f","Name":"01a22c68-2ba8-76ad-bcb7-5323a5123b4f"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585702761,"seed":5690218837709665982,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585702761,"seed":5514611507034069237,"task":2,"output":{"status":"ok"}}
');
INSERT INTO execution VALUES(11,5,'RUNNING',1785585732761,0,'{"status":"RUNNING","frames":{"0":{"state":"Hold","input":{"order":{"id":"01a22c68-2bdc-76da-8617-708eba08cd62","user_id":"cancelled in its hold","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702761},"hold_seconds":30,"payment":{"status":"ok"}},"entered":14,"entered_at":1785585702761,"last":14,"seed":2250420830508516246,"timer":3,"due":1785585732761,"size":400}},"events":14,"numbers":3,"started_at":1785585702761,"context":{"Execution":{"Id":"01a22c68-2bdc-76da-8617-708eba08cd62","Name":"01a22c68-2bdc-76da-8617-708eba08cd62"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585702761,"seed":4861680647153428688,"input":{"order":{"id":"01a22c68-2bdc-76da-8617-708eba08cd62","user_id":"cancelled in its hold","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"d@example.com","created_at":1785585702761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2bdc-76da-8617-708eba08cd62","Name":"01a22c68-2bdc-76da-8617-708eba08cd62"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585702761,"seed":2250420830508516246,"task":1,"output":null}
{"type":"TaskSucceeded","at":1785585702761,"seed":6040709784510513433,"task":2,"output":{"status":"ok"}}
');
INSERT INTO execution VALUES(12,5,'RUNNING',253402300800000,1,'{"status":"RUNNING","frames":{"0":{"state":"ProcessPayment","input":{"order":{"id":"01a22c68-2c03-75b6-b57b-a2f4be490b48","user_id":"call under way","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"e@example.com","created_at":1785585702761},"hold_seconds":30},"entered":7,"entered_at":1785585702761,"last":9,"task":2,"seed":5396633639947274373,"size":270}},"events":9,"numbers":2,"started_at":1785585702761,"context":{"Execution":{"Id":"01a22c68-2c03-75b6-b57b-a2f4be490b48","Name":"01a22c68-2c03-75b6-b57b-a2f4be490b48"},"StateMachine":{"Id":"orders","Name":"orders"}}}','{"type":"Started","at":1785585702761,"seed":8862329454573956419,"input":{"order":{"id":"01a22c68-2c03-75b6-b57b-a2f4be490b48","user_id":"call under way","restaurant_id":"Restaurant 4","name":"item","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","email":"e@example.com","created_at":1785585702761},"hold_seconds":30},"context":{"Execution":{"Id":"01a22c68-2c03-75b6-b57b-a2f4be490b48","Name":"01a22c68-2c03-75b6-b57b-a2f4be490b48"},"StateMachine":{"Id":"orders","Name":"orders"}}}
{"type":"TaskSucceeded","at":1785585702761,"seed":5396633639947274373,"task":1,"output":null}
');
CREATE INDEX execution_due ON execution (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX execution_failed ON execution (no) WHERE status <> 'RUNNING' AND status <> 'SUCCEEDED';

DROP TABLE IF EXISTS ledger;
CREATE TABLE ledger (
  order_no  INTEGER NOT NULL REFERENCES claim (no),
  kind      TEXT NOT NULL,
  key       TEXT NOT NULL,
  amount    INTEGER NOT NULL,
  currency  TEXT NOT NULL,
  at        INTEGER NOT NULL,
  reference TEXT,
  PRIMARY KEY (order_no, kind, key)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger VALUES(1,'charge','01a22c68-2757-78e0-a743-9870d6041363/charge',3000,'USD',1785585600000,'ch_01a22c68-2757-78e0-a743-9870d6041363/charge');
INSERT INTO ledger VALUES(2,'charge','01a22c68-27e5-70dd-8773-690a0ef9b1de/charge',3000,'USD',1785585631761,'ch_01a22c68-27e5-70dd-8773-690a0ef9b1de/charge');
INSERT INTO ledger VALUES(5,'charge','01a22c68-2959-7a48-9aca-e11cc9fae816/charge',3000,'USD',1785585662761,'ch_01a22c68-2959-7a48-9aca-e11cc9fae816/charge');
INSERT INTO ledger VALUES(7,'charge','01a22c68-2959-7083-b160-c298adc591f7/charge',3000,'USD',1785585662761,'ch_01a22c68-2959-7083-b160-c298adc591f7/charge');
INSERT INTO ledger VALUES(7,'refund','01a22c68-2959-7083-b160-c298adc591f7/refund',3000,'USD',1785585692761,'re_01a22c68-2959-7083-b160-c298adc591f7/refund');
INSERT INTO ledger VALUES(8,'charge','01a22c68-2959-7811-89b4-d70fb307e853/charge',3000,'USD',1785585662761,'ch_01a22c68-2959-7811-89b4-d70fb307e853/charge');
INSERT INTO ledger VALUES(9,'charge','01a22c68-2959-7a75-96cc-461d36732f58/charge',3000,'USD',1785585662761,'ch_01a22c68-2959-7a75-96cc-461d36732f58/charge');
INSERT INTO ledger VALUES(10,'charge','01a22c68-2ba8-76ad-bcb7-5323a5123b4f/charge',3000,'USD',1785585702761,'ch_01a22c68-2ba8-76ad-bcb7-5323a5123b4f/charge');
INSERT INTO ledger VALUES(11,'charge','01a22c68-2bdc-76da-8617-708eba08cd62/charge',3000,'USD',1785585702761,'ch_01a22c68-2bdc-76da-8617-708eba08cd62/charge');

DROP TABLE IF EXISTS mail;
CREATE TABLE mail (
  order_no  INTEGER NOT NULL REFERENCES claim (no),
  status    TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject   TEXT NOT NULL,
  text      TEXT NOT NULL,
  at        INTEGER NOT NULL,
  tries     INTEGER NOT NULL DEFAULT 0,
  next_at   INTEGER,
  sent_at   INTEGER,
  problem   TEXT,
  PRIMARY KEY (order_no, status, recipient)
) STRICT, WITHOUT ROWID;
INSERT INTO mail VALUES(1,'NEEDS_OPERATOR','ops@example.com','Orders-App: Trouble with order 01a22c68-2757-78e0-a743-9870d6041363: it needs an operator','Its workflow ended in an error and does not go on by itself.
Open the order in the console, see which step failed and why, and retry it from there.

Order: 01a22c68-2757-78e0-a743-9870d6041363
Since: 2026-08-01T12:00:31.761Z
',1785585631761,3,1785585712761,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(5,'SUCCESS','c@example.com','Orders-App: Update for order 01a22c68-2959-7a48-9aca-e11cc9fae816','Your order is paid and with the restaurant.

Order:      01a22c68-2959-7a48-9aca-e11cc9fae816
Restaurant: Restaurant 5
            3 x item
Total:      3000 USD (minor units)
',1785585692761,2,1785585709576,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(5,'SUCCESS','ops@example.com','Orders-App: Update for order 01a22c68-2959-7a48-9aca-e11cc9fae816','Your order is paid and with the restaurant.

Order:      01a22c68-2959-7a48-9aca-e11cc9fae816
Restaurant: Restaurant 5
            3 x item
Total:      3000 USD (minor units)
',1785585692761,2,1785585709576,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(6,'FAILED','c@example.com','Orders-App: Update for order 01a22c68-2959-7013-aa5b-3c015c3dc63f','Your order could not be completed. Nothing is charged; what had been charged was given back.

Reason: The card was declined.

Order:      01a22c68-2959-7013-aa5b-3c015c3dc63f
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585662761,3,1785585722761,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(6,'FAILED','ops@example.com','Orders-App: Update for order 01a22c68-2959-7013-aa5b-3c015c3dc63f','Your order could not be completed. Nothing is charged; what had been charged was given back.

Reason: The card was declined.

Order:      01a22c68-2959-7013-aa5b-3c015c3dc63f
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585662761,3,1785585722761,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(7,'CANCELLED','c@example.com','Orders-App: Update for order 01a22c68-2959-7083-b160-c298adc591f7','Your order is cancelled, as you asked. What had been charged was given back.

Reason: The customer cancelled the order.

Order:      01a22c68-2959-7083-b160-c298adc591f7
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692761,2,1785585709576,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(7,'CANCELLED','ops@example.com','Orders-App: Update for order 01a22c68-2959-7083-b160-c298adc591f7','Your order is cancelled, as you asked. What had been charged was given back.

Reason: The customer cancelled the order.

Order:      01a22c68-2959-7083-b160-c298adc591f7
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692761,2,1785585709576,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(8,'SUCCESS','c@example.com','Orders-App: Update for order 01a22c68-2959-7811-89b4-d70fb307e853','Your order is paid and with the restaurant.

Order:      01a22c68-2959-7811-89b4-d70fb307e853
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692761,2,1785585709576,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
INSERT INTO mail VALUES(8,'SUCCESS','ops@example.com','Orders-App: Update for order 01a22c68-2959-7811-89b4-d70fb307e853','Your order is paid and with the restaurant.

Order:      01a22c68-2959-7811-89b4-d70fb307e853
Restaurant: Restaurant 4
            3 x item
Total:      3000 USD (minor units)
',1785585692761,2,1785585709576,NULL,'Error connecting to 127.0.0.1 on port 9: [Errno 111] Connect call failed (''127.0.0.1'', 9)');
CREATE INDEX mail_next ON mail (next_at) WHERE next_at IS NOT NULL;

DROP TABLE IF EXISTS message;
CREATE TABLE message (
  no            INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id      TEXT,
  body          BLOB NOT NULL,
  attributes    TEXT NOT NULL,
  sent_at       INTEGER NOT NULL,
  visible_at    INTEGER NOT NULL,
  receive_count INTEGER NOT NULL DEFAULT 0,
  deliveries    INTEGER NOT NULL DEFAULT 0,
  reason        TEXT
) STRICT;
INSERT INTO message VALUES(12,'01a22c68-2c14-784b-a336-c8f160884a45',X'7B22757365725F6964223A22717565756564222C2272657374617572616E745F6964223A2252657374617572616E742034222C227175616E74697479223A332C22656D61696C223A2266406578616D706C652E636F6D227D','{"order_id":"01a22c68-2c14-784b-a336-c8f160884a45"}',1785585702761,1785585702761,0,0,NULL);
CREATE INDEX message_exhausted ON message (visible_at) WHERE receive_count >= 3;
CREATE INDEX message_order ON message (order_id) WHERE order_id IS NOT NULL;

DROP TABLE IF EXISTS minute;
CREATE TABLE minute (
  at   INTEGER PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;
INSERT INTO minute VALUES(1785585600000,'{"at":1785585600000,"accepted":2,"running":1}');
INSERT INTO minute VALUES(1785585660000,'{"at":1785585660000,"accepted":1,"running":1}');

DROP TABLE IF EXISTS nested;
CREATE TABLE nested (
  child  INTEGER NOT NULL REFERENCES execution (no),
  parent INTEGER NOT NULL REFERENCES execution (no),
  task   INTEGER NOT NULL,
  parsed INTEGER NOT NULL,
  PRIMARY KEY (child, parent, task)
) STRICT, WITHOUT ROWID;
INSERT INTO nested VALUES(4,3,1,1);

DROP TABLE IF EXISTS orders;
CREATE TABLE orders (
  no            INTEGER PRIMARY KEY REFERENCES claim (no),
  user_id       TEXT NOT NULL,
  restaurant_id TEXT NOT NULL,
  status        TEXT NOT NULL,
  deleted       INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  body          TEXT NOT NULL
) STRICT;
INSERT INTO orders VALUES(1,'needs an operator','Restaurant 4','REFUND_PENDING',0,8,'{"id":"01a22c68-2757-78e0-a743-9870d6041363","user_id":"needs an operator","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585600000,"updated_at":1785585630000,"name":"item","email":"a@example.com","status":"REFUND_PENDING","error_message":"The restaurant is closed.","cancel_requested_at":null,"hold_closed_at":1785585630000,"deleted_at":null,"effects":{"charge":{"tried_at":1785585600000,"result":"done","reference":"ch_01a22c68-2757-78e0-a743-9870d6041363/charge","attempt":1},"restaurant":{"tried_at":1785585630000,"result":"refused","reference":null,"attempt":1},"refund":{"tried_at":1785585630000,"result":"unknown","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(2,'waits for a token','Restaurant 4','PAID',0,6,'{"id":"01a22c68-27e5-70dd-8773-690a0ef9b1de","user_id":"waits for a token","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585631761,"updated_at":1785585661761,"name":"item","email":"b@example.com","status":"PAID","error_message":null,"cancel_requested_at":null,"hold_closed_at":1785585661761,"deleted_at":null,"effects":{"charge":{"tried_at":1785585631761,"result":"done","reference":"ch_01a22c68-27e5-70dd-8773-690a0ef9b1de/charge","attempt":1},"restaurant":{"tried_at":1785585661761,"result":"done","reference":null,"attempt":1}},"version":6}');
INSERT INTO orders VALUES(5,'succeeded','Restaurant 5','SUCCESS',0,8,'{"id":"01a22c68-2959-7a48-9aca-e11cc9fae816","user_id":"succeeded","restaurant_id":"Restaurant 5","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662761,"updated_at":1785585692761,"name":"item","email":"c@example.com","status":"SUCCESS","error_message":null,"cancel_requested_at":null,"hold_closed_at":1785585692761,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662761,"result":"done","reference":"ch_01a22c68-2959-7a48-9aca-e11cc9fae816/charge","attempt":1},"restaurant":{"tried_at":1785585692761,"result":"done","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(6,'declined','Restaurant 4','FAILED',0,4,'{"id":"01a22c68-2959-7013-aa5b-3c015c3dc63f","user_id":"declined","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662761,"updated_at":1785585662761,"name":"item","email":"c@example.com","status":"FAILED","error_message":"The card was declined.","cancel_requested_at":null,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662761,"result":"refused","reference":null,"attempt":1}},"version":4}');
INSERT INTO orders VALUES(7,'cancelled','Restaurant 4','CANCELLED',0,8,'{"id":"01a22c68-2959-7083-b160-c298adc591f7","user_id":"cancelled","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662761,"updated_at":1785585692761,"name":"item","email":"c@example.com","status":"CANCELLED","error_message":"The customer cancelled the order.","cancel_requested_at":1785585662761,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662761,"result":"done","reference":"ch_01a22c68-2959-7083-b160-c298adc591f7/charge","attempt":1},"refund":{"tried_at":1785585692761,"result":"done","reference":"re_01a22c68-2959-7083-b160-c298adc591f7/refund","attempt":1}},"version":8}');
INSERT INTO orders VALUES(8,'deleted','Restaurant 4','SUCCESS',1,8,'{"id":"01a22c68-2959-7811-89b4-d70fb307e853","user_id":"deleted","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662761,"updated_at":1785585702761,"name":"item","email":"c@example.com","status":"SUCCESS","error_message":null,"cancel_requested_at":null,"hold_closed_at":1785585692761,"deleted_at":1785585702761,"effects":{"charge":{"tried_at":1785585662761,"result":"done","reference":"ch_01a22c68-2959-7811-89b4-d70fb307e853/charge","attempt":1},"restaurant":{"tried_at":1785585692761,"result":"done","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(9,'refund pending','Restaurant 4','REFUND_PENDING',0,8,'{"id":"01a22c68-2959-7a75-96cc-461d36732f58","user_id":"refund pending","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585662761,"updated_at":1785585692761,"name":"item","email":"c@example.com","status":"REFUND_PENDING","error_message":"The restaurant is closed.","cancel_requested_at":null,"hold_closed_at":1785585692761,"deleted_at":null,"effects":{"charge":{"tried_at":1785585662761,"result":"done","reference":"ch_01a22c68-2959-7a75-96cc-461d36732f58/charge","attempt":1},"restaurant":{"tried_at":1785585692761,"result":"refused","reference":null,"attempt":1},"refund":{"tried_at":1785585692761,"result":"unknown","reference":null,"attempt":1}},"version":8}');
INSERT INTO orders VALUES(10,'in its hold','Restaurant 4','PAID',0,3,'{"id":"01a22c68-2ba8-76ad-bcb7-5323a5123b4f","user_id":"in its hold","restaurant_id":"Restaurant 4","items":[{"name":"Ä","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585702761,"updated_at":1785585702761,"name":"Ä","email":"d@example.com","status":"PAID","error_message":null,"cancel_requested_at":null,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585702761,"result":"done","reference":"ch_01a22c68-2ba8-76ad-bcb7-5323a5123b4f/charge","attempt":1}},"version":3}');
INSERT INTO orders VALUES(11,'cancelled in its hold','Restaurant 4','REFUND_PENDING',0,4,'{"id":"01a22c68-2bdc-76da-8617-708eba08cd62","user_id":"cancelled in its hold","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585702761,"updated_at":1785585702761,"name":"item","email":"d@example.com","status":"REFUND_PENDING","error_message":null,"cancel_requested_at":1785585702761,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585702761,"result":"done","reference":"ch_01a22c68-2bdc-76da-8617-708eba08cd62/charge","attempt":1}},"version":4}');
INSERT INTO orders VALUES(12,'call under way','Restaurant 4','PENDING',0,2,'{"id":"01a22c68-2c03-75b6-b57b-a2f4be490b48","user_id":"call under way","restaurant_id":"Restaurant 4","items":[{"name":"item","quantity":3,"unit_price":1000}],"currency":"USD","created_at":1785585702761,"updated_at":1785585702761,"name":"item","email":"e@example.com","status":"PENDING","error_message":null,"cancel_requested_at":null,"hold_closed_at":null,"deleted_at":null,"effects":{"charge":{"tried_at":1785585702761,"result":"unknown","reference":null,"attempt":1}},"version":2}');
CREATE INDEX orders_deleted ON orders (status) WHERE deleted = 1;
CREATE INDEX orders_restaurant ON orders (restaurant_id);
CREATE INDEX orders_status ON orders (status) WHERE status <> 'SUCCESS';
CREATE INDEX orders_user ON orders (user_id);

DROP TABLE IF EXISTS scrub;
CREATE TABLE scrub (
  no    INTEGER PRIMARY KEY,
  zeros BLOB NOT NULL
) STRICT;

DROP TABLE IF EXISTS task_token;
CREATE TABLE task_token (
  hash              TEXT PRIMARY KEY,
  execution         INTEGER NOT NULL REFERENCES execution (no),
  task              INTEGER NOT NULL,
  busy              INTEGER NOT NULL,
  timeout_at        INTEGER,
  heartbeat_seconds INTEGER,
  heartbeat_at      INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO task_token VALUES('a83987ee5a5306a4b7394541fb29339845df4de563f24620d9429b4daea6cd89',2,5,0,NULL,NULL,NULL);
INSERT INTO task_token VALUES('f02b45ee2b9309de3bd5b282a3f222597dfa2f93fa919e180ca548e7a7622455',3,1,0,NULL,NULL,NULL);
CREATE INDEX task_token_execution ON task_token (execution);

DROP TABLE IF EXISTS told;
CREATE TABLE told (
  order_no INTEGER NOT NULL REFERENCES claim (no),
  trouble  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (order_no, trouble)
) STRICT, WITHOUT ROWID;
INSERT INTO told VALUES(1,'NEEDS_OPERATOR',1785585631761);

DROP TABLE IF EXISTS untraced;
CREATE TABLE untraced (
  no INTEGER PRIMARY KEY REFERENCES execution (no),
  at INTEGER NOT NULL
) STRICT;

DELETE FROM main.sqlite_sequence WHERE name='message';
INSERT INTO main.sqlite_sequence VALUES ('message', 12);

pragma user_version=9;
pragma application_id=1165520996;

COMMIT TRANSACTION;
