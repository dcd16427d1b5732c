import{A as e}from"./chunk-DDLFPAJ5.js";var r=e("me","");export{r as a};
